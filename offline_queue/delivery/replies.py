"""What an endpoint adapter brings back, allow-listed: nothing else of a reply reaches the kiosk.

A field that names a person, a wanted-person mark or a sentence in a reply ends here: unknown keys
are dropped, known ones must have their form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from offline_queue.delivery.authority_time import moment

_CODE = re.compile(r"E[A-Z0-9]{1,7}")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,47}")
RECEIPT_NO = re.compile(r"[A-Za-z0-9-]{1,64}")
_MOMENT = re.compile(r"[0-9T:+.Z-]{10,40}")
_HASH = re.compile(r"[0-9a-f]{64}")


class Fault(StrEnum):
    """Why there was no answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    CUT = "cut"
    """The connection ended before the end of the reply."""
    TOO_LARGE = "reply too large"


@dataclass(frozen=True, slots=True)
class Result:
    """The authority's word on one record."""

    record_id: UUID
    revision: int
    content_hash: bytes
    status: str
    code: str = ""
    field: str = ""
    receipt_no: str = ""
    received_at: str = ""
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer. ``batch_id``, ``state``, ``code`` and ``results`` come from a JSON object, if it was one."""

    status: int
    readable: bool = False
    """The body was a JSON object."""
    garbled: str = ""
    """What it was instead, in words of ours."""
    batch_id: str = ""
    state: str = ""
    code: str = ""
    results: tuple[Result, ...] = ()
    retry_after_s: float | None = None
    server_time: float | None = None
    """Unix seconds, where the answer tells them: a token's, and E107's."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    fault: Fault
    detail: str = ""
    """Of TLS: which check failed, in OpenSSL's words."""


Reply: TypeAlias = Answered | Unanswered


def answered(status: int, body: object, retry_after_s: float | None, garbled: str = "") -> Answered:
    """Take the allow-listed fields of a parsed body; anything else counts as unreadable."""
    if not isinstance(body, Mapping):
        return Answered(status, garbled=garbled, retry_after_s=retry_after_s)
    listed = body.get("results")
    results = [_result(item) for item in listed] if isinstance(listed, list) else []
    return Answered(
        status,
        readable=True,
        batch_id=_text(body.get("batchId"), re.compile(r"[0-9A-Za-z-]{1,64}")),
        state=_text(body.get("status"), re.compile(r"[A-Z_]{1,24}")),
        code=_text(body.get("code"), _CODE),
        results=tuple(result for result in results if result is not None),
        retry_after_s=retry_after_s,
        server_time=moment(body.get("serverTime")),
    )


def record_result(body: object) -> Result | None:
    """Read the answer of ``GET /v1/records/{id}``: the last revision the authority knows."""
    return _result(body)


def _result(item: object) -> Result | None:
    if not isinstance(item, Mapping):
        return None
    try:
        record_id = UUID(str(item.get("recordId")))
    except ValueError:
        return None
    revision = item.get("revision")
    content_hash = _text(item.get("contentHash"), _HASH)
    if not isinstance(revision, int) or isinstance(revision, bool) or not content_hash:
        return None
    return Result(
        record_id=record_id,
        revision=revision,
        content_hash=bytes.fromhex(content_hash),
        status=_text(item.get("status"), re.compile(r"[A-Z_]{1,24}")),
        code=_text(item.get("code"), _CODE),
        field=_text(item.get("field"), _FIELD),
        receipt_no=_text(item.get("receiptNo"), RECEIPT_NO),
        received_at=_text(item.get("receivedAt"), _MOMENT),
        duplicate=item.get("duplicate") is True,
    )


def _text(value: object, form: re.Pattern[str]) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""
