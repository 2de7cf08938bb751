"""The two consent texts, versioned, and the proof that one of them was agreed to.

Each says who, what for, how, how long, what declining means, that staff may look, and how to withdraw.
Any change of a word here needs a new VERSION: records and audit name version, language and hash.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from kiosk.model import Consent

VERSION = "2026-11-24"

_TEXTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("identity", "zh-CN"): (
        "身份查询的告知与同意",
        "为依法办理住宿登记，本酒店把您出示的码交给身份平台核验（可离线核验的码只在本机核验），取得姓名、证件号码等登记信息。",
        "信息加密保存，只报送公安机关，收到回执后最多再保留 30 天。同意记录和回执保存 3 年。",
        "用码办理完全自愿。选择“转人工”同样入住，服务不变：前台同事用您的证件办理；遇到问题也由前台同事查看处理。",
        "保存登记之前，您可随时按“返回”回到出示码一步，即撤回同意，本机立即清除。之后可到前台查询、更正或提出删除。",
    ),
    ("identity", "en"): (
        "About reading your identity",
        "The law asks this hotel to register its guests. We send the code you show to the identity service"
        " (some codes are checked on this kiosk alone) and receive your name, document number and what else"
        " the registration needs.",
        "Your data is kept encrypted and reported to the police only. It is erased at most 30 days after their"
        " receipt; the receipt and the record of this consent are kept for 3 years.",
        "Using a code is your free choice. If you decline, the desk checks you in with your document, with the"
        " same service. Staff also look at whatever goes wrong.",
        "Until the registration is saved, going “Back” to the code screen withdraws your consent, and this kiosk"
        " erases your data at once."
        " Later, ask the desk to see, correct or erase it.",
    ),
    ("face", "zh-CN"): (
        "刷脸核验的告知与同意",
        "为确认办理的是您本人，本酒店用本机镜头拍摄您的脸，判断是否真人，并与证件照比对。证件照来自您的码或身份平台。",
        "比对只在本机进行，人脸特征不上传，核验结束即清除。证件照和现场照各一张加密随登记报送公安机关，收到回执即销毁。",
        "刷脸是自愿的，不是入住条件。选择“人工核验”步骤相同：前台同事看一下证件。未满 14 周岁须监护人同意，请到前台。",
        "比对没有把握时，由前台同事复核。保存登记之前，您可随时按“返回”撤回同意，人脸特征和照片立即删除。",
    ),
    ("face", "en"): (
        "About the face check",
        "To be sure that it is you, this hotel takes pictures of your face with this camera, checks that it is a"
        " living face and compares it with your document photo, which comes from your code or the identity service.",
        "The comparison happens on this kiosk only; the face template is never sent and is wiped right after it."
        " One document photo and one live photo go, encrypted, to the police with the registration and are"
        " destroyed on their receipt.",
        "The face check is your free choice, never a condition. “Staff check” takes no more steps: a colleague looks"
        " at your document. Under 14, a guardian must consent, at the desk.",
        "When the comparison is in doubt, staff look. Until the registration is saved, “Back” withdraws your"
        " consent; template and photos are deleted at once.",
    ),
}
"""(purpose, language) → title and paragraphs."""


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One consent text exactly as a guest reads it."""

    purpose: str
    """``identity`` or ``face``."""
    language: str
    version: str
    title: str
    paragraphs: tuple[str, ...]
    sha256: str
    """Over title and paragraphs in UTF-8, joined by line feeds: exactly the text that is shown."""


def text(purpose: str, language: str) -> ConsentText:
    """Return the text in force. Raises KeyError for a purpose or language that has none."""
    title, *paragraphs = _TEXTS[purpose, language]
    digest = hashlib.sha256("\n".join((title, *paragraphs)).encode()).hexdigest()
    return ConsentText(purpose, language, VERSION, title, tuple(paragraphs), digest)


def give(purpose: str, language: str, at: datetime) -> Consent:
    """Return the consent to that text, given at ``at``."""
    shown = text(purpose, language)
    return Consent(str(uuid.uuid4()), purpose, shown.version, language, shown.sha256, at)
