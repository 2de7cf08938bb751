"""The colours, and the arithmetic that refuses a palette nobody could read."""

from __future__ import annotations

from dataclasses import dataclass

READABLE = 4.5
"""Least contrast of text, WCAG 2.2 AA."""
READABLE_ELDER = 7.0
"""Least contrast of text in the elder and high-contrast palettes, WCAG 2.2 AAA."""
VISIBLE = 3.0
"""Least contrast of a drawing or a control's edge, WCAG 2.2 1.4.11."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours by what they are for, ``#RRGGBB``."""

    paper: str
    """The wall behind everything."""
    surface: str
    """Cards, keys, quiet buttons."""
    ink: str
    muted: str
    accent: str
    """The guest's turn: main buttons, drawings."""
    accent_pressed: str
    on_accent: str
    accent_soft: str
    """Behind drawings and notes; ink and accent are readable on it."""
    sand: str
    """Warm ground of drawings."""
    off: str
    """What cannot be touched now: its words, on ``off_ground``, without an edge."""
    off_ground: str
    hairline: str
    amber: str
    amber_soft: str
    red: str


STANDARD = Palette(
    paper="#F7F4EE",
    surface="#FFFFFF",
    ink="#1B1F24",
    muted="#5A6270",
    accent="#0B6B57",
    accent_pressed="#085243",
    on_accent="#FFFFFF",
    accent_soft="#E3F0EC",
    sand="#EDE6D8",
    off="#5A6270",
    off_ground="#EDE6D8",
    hairline="#DAD2C3",
    amber="#8A5A00",
    amber_soft="#FBF3E1",
    red="#A3231C",
)

ELDER = Palette(
    paper="#FBF9F5",
    surface="#FFFFFF",
    ink="#14171B",
    muted="#434A55",
    accent="#07513F",
    accent_pressed="#053D30",
    on_accent="#FFFFFF",
    accent_soft="#E9F4F0",
    sand="#EFE9DD",
    off="#434A55",
    off_ground="#EFE9DD",
    hairline="#B9AF9B",
    amber="#664200",
    amber_soft="#FCF6E8",
    red="#8A1812",
)

HIGH_CONTRAST = Palette(
    paper="#000000",
    surface="#000000",
    ink="#FFFFFF",
    muted="#FFFFFF",
    accent="#FFD60A",
    accent_pressed="#FFFFFF",
    on_accent="#000000",
    accent_soft="#000000",
    sand="#000000",
    off="#B0B0B0",
    off_ground="#1F1F1F",
    hairline="#FFFFFF",
    amber="#FFD60A",
    amber_soft="#000000",
    red="#FFD60A",
)

TEXT_ON_GROUND = (
    ("ink", "paper"), ("ink", "surface"), ("ink", "accent_soft"), ("ink", "amber_soft"),
    ("ink", "sand"), ("muted", "paper"), ("muted", "surface"), ("accent", "paper"), ("accent", "surface"),
    ("accent", "accent_soft"), ("amber", "amber_soft"), ("red", "surface"),
    ("on_accent", "accent"), ("on_accent", "accent_pressed"), ("off", "off_ground"),
)  # fmt: skip
"""Every pair of text and ground that the screens use."""

DRAWING_ON_GROUND = (("accent", "accent_soft"), ("accent", "sand"), ("accent", "paper"), ("amber", "paper"))


def contrast(one: str, other: str) -> float:
    """Return the WCAG 2.2 contrast ratio of two ``#RRGGBB`` colours, 1..21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def faults(palette: Palette, least: float) -> list[str]:
    """Return every pair of ``palette`` below ``least`` (drawings: below VISIBLE), in words."""
    pairs = [(pair, least) for pair in TEXT_ON_GROUND] + [(pair, VISIBLE) for pair in DRAWING_ON_GROUND]
    found = []
    for (text, ground), needed in pairs:
        ratio = contrast(getattr(palette, text), getattr(palette, ground))
        if ratio < needed:
            found.append(f"{text} on {ground}: {ratio:.2f}:1 is below {needed}:1")
    return found


def checked(palette: Palette, least: float) -> Palette:
    """Return ``palette`` if all of it can be read. Raises ValueError naming every unreadable pair."""
    if found := faults(palette, least):
        raise ValueError("palette: " + "; ".join(found))
    return palette


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
