"""Can the screen write what guests read?"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from kiosk.commissioning.finding import Finding, Result

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
FC_LIST_S = 5.0

_NAME = "fonts"


def fonts() -> Finding:
    """Look for a font with Chinese characters, by fontconfig or by its file; blocks up to five seconds."""
    if _known_to_fontconfig() or any(next(folder.rglob("NotoSansCJK*"), None) for folder in FONT_FOLDERS):
        return Finding(_NAME, Result.OK, "Noto CJK is installed")
    meaning = "Noto CJK is not installed: Chinese may show as empty boxes"
    return Finding(_NAME, Result.FAIL, meaning, "apt-get install fonts-noto-cjk")


def _known_to_fontconfig() -> bool:
    program = shutil.which("fc-list")
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, ":lang=zh-cn", "family"], capture_output=True, text=True, timeout=FC_LIST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "Noto" in done.stdout and "CJK" in done.stdout
