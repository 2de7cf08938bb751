"""Colours that can be read and sizes that are millimetres, checked before anybody looks at them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication

from kiosk.config import ScreenSection
from tests.ui.stand import Stand, rect_of
from ui.screen import palette, theme

PALETTES = {
    "standard": (palette.STANDARD, 4.5),
    "elder": (palette.ELDER, 7.0),
    "high contrast": (palette.HIGH_CONTRAST, 7.0),
}


def test_the_arithmetic_is_that_of_wcag() -> None:
    assert palette.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert palette.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert palette.contrast("#FFFFFF", "#777777") == palette.contrast("#777777", "#FFFFFF")


@pytest.mark.parametrize("name", PALETTES)
def test_everything_on_the_screen_can_be_read(name: str) -> None:
    colours, least = PALETTES[name]
    assert palette.faults(colours, least) == []
    for text, ground in palette.TEXT_ON_GROUND:
        assert palette.contrast(getattr(colours, text), getattr(colours, ground)) >= least


def test_a_palette_that_cannot_be_read_is_refused() -> None:
    faded = replace(palette.STANDARD, muted="#9AA2AE")
    with pytest.raises(ValueError, match="muted on paper: 2"):
        palette.checked(faded, palette.READABLE)


def test_the_elder_screen_does_not_wear_a_palette_of_the_young() -> None:
    with pytest.raises(ValueError, match="7"):
        palette.checked(palette.STANDARD, palette.READABLE_ELDER)


@pytest.mark.parametrize(
    ("width", "height", "inch", "px_per_mm"),
    [(1080, 1920, 21.5, 4.034), (1080, 1920, 27.0, 3.212), (2160, 3840, 32.0, 5.421)],
)
def test_a_millimetre_is_computed_from_the_diagonal(width: int, height: int, inch: float, px_per_mm: float) -> None:
    screen = ScreenSection(width_px=width, height_px=height, diagonal_inch=inch)
    sizes = theme.measures(screen, 0.714)
    assert sizes.px_per_mm == pytest.approx(px_per_mm, abs=0.002)
    assert sizes.px(24) >= 20 * px_per_mm


@pytest.mark.parametrize("elder", [False, True])
@pytest.mark.parametrize(("size", "mm"), theme.TYPE_MM.items())
def test_a_capital_is_as_high_as_promised(qapp: QGuiApplication, size: str, mm: float, *, elder: bool) -> None:
    font = theme.font()
    sizes = theme.measures(ScreenSection(), theme.cap_ratio_of(font), elder=elder)
    large = QFont(font)
    large.setPixelSize(sizes.font_px(size))
    wanted = mm * (1.3 if elder else 1.0)
    assert wanted - 0.02 <= QFontMetricsF(large).capHeight() / sizes.px_per_mm <= wanted + 0.4


def test_elder_mode_draws_every_text_a_third_larger(stand: Stand) -> None:
    def sizes() -> dict[str, int]:
        return {name: stand.item(name).property("font").pixelSize() for name in ("heading", "demoBanner")}

    stand.show_welcome()
    before = sizes()
    stand.tap("elderButton")
    after = sizes()
    for name, size in before.items():
        assert after[name] / size == pytest.approx(1.3, abs=0.04), name


@pytest.mark.parametrize("ways", [(), ("elderButton",), ("contrastButton",)])
def test_a_key_that_cannot_be_touched_looks_like_none(stand: Stand, ways: tuple[str, ...]) -> None:
    """Another ground and no edge: not by its ink alone."""
    stand.read(ways)
    stand.scene("reference-again", touched=False)
    image = stand.window.grabWindow()

    def looks(name: str) -> tuple[str, str]:
        place = rect_of(stand.item(name))
        across = round(place.center().y())
        edge, ground = (image.pixelColor(round(place.left()) + inset, across).name() for inset in (0, 12))
        return edge, ground

    edge, ground = looks("keypadOk")
    assert edge == ground
    other_edge, other_ground = looks("keypad_1")
    assert other_edge != other_ground
    assert ground != other_ground


def test_the_two_families_are_installed_and_used(stand: Stand) -> None:
    from PySide6.QtGui import QFontDatabase

    assert set(theme.FAMILIES) <= set(QFontDatabase.families())
    assert QGuiApplication.font().families()[: len(theme.FAMILIES)] == list(theme.FAMILIES)
