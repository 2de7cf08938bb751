"""Finds a font of the system that has the Han characters, in their Chinese forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.ttFont import TTLibError

from kiosk.errors import OperationalError

FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_NAMES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "NotoSerifCJK-Regular.ttc",
)
_WIDE_SPACE = "\u3000"
_PROBE = "随住宿登记〔〕·"


@dataclass(frozen=True, slots=True)
class Font:
    """A font file, which member of a collection it is, and the code points it has."""

    path: Path
    index: int
    has: frozenset[int]

    def shown(self, text: str) -> str:
        """Return ``text`` with each sign that the font lacks written as 〔U+2B740〕, and none that a printer obeys.

        A rare character in a name must not become an empty box that looks like any other.
        """
        return "".join(self._shown(sign) for sign in text)

    def _shown(self, sign: str) -> str:
        if sign == _WIDE_SPACE:
            return sign
        if not sign.isprintable():
            return " "
        return sign if ord(sign) in self.has else f"〔U+{ord(sign):04X}〕"


def find(folders: tuple[Path, ...] = FOLDERS) -> Font:
    """Return the first font that fits. Raises OperationalError with the fix when there is none."""
    for path in _candidates(folders):
        try:
            font = _read(path)
        except (OSError, TTLibError):
            continue  # a broken file: another may do
        if font is not None:
            return font
    raise OperationalError(
        f"export: no font with Chinese characters under {' or '.join(map(str, folders))}; nothing was written. "
        "Fix: install Noto Sans CJK (Debian: apt install fonts-noto-cjk), or export with --no-pdf"
    )


def _candidates(folders: tuple[Path, ...]) -> Iterator[Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.[to]t[cf]")):
            found.setdefault(path.name, path)
    yield from (found[name] for name in _NAMES if name in found)


def _read(path: Path) -> Font | None:
    """Read what is needed of a font. None when it lacks Han characters."""
    if path.suffix == ".ttc":
        with TTCollection(path, lazy=True) as collection:
            members = [str(member["name"].getDebugName(1)) for member in collection]
            chinese = [number for number, name in enumerate(members) if name.endswith(" SC") and "Mono" not in name]
            return _usable(path, chinese[0], collection[chinese[0]]) if chinese else None
    with TTFont(path, lazy=True) as font:
        return _usable(path, 0, font)


def _usable(path: Path, index: int, font: TTFont) -> Font | None:
    has = frozenset(font.getBestCmap())
    return Font(path, index, has) if has.issuperset(map(ord, _PROBE)) else None
