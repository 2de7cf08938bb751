"""Colours and sizes for QML, in pixels computed from millimetres and the screen's diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF
from PySide6.QtQml import QmlElement, QmlSingleton, QQmlEngine

from ui.screen import palette
from ui.screen.palette import Palette

if TYPE_CHECKING:
    from kiosk.config import ScreenSection

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1

FAMILIES = ("Noto Sans", "Noto Sans CJK SC")
"""Latin, then Han. One family in two weights; Debian: fonts-noto-core, fonts-noto-cjk."""
ELDER_SCALE = 1.3
BUTTON_MM = 24.0
"""Drawn height of a main button; the law of the thumb is 20 mm."""
TYPE_MM = {"body": 4.8, "lead": 6.0, "heading": 8.0, "title": 12.0, "room": 20.0}
"""Height of a capital letter."""
MOTION_MS = 200
INCH_MM = 25.4


@dataclass(frozen=True, slots=True)
class Measures:
    """How many pixels a millimetre has, and how much of a font's size a capital letter fills."""

    px_per_mm: float
    cap_ratio: float
    """Height of a capital / pixel size of the font, about 0.71."""
    elder: bool = False

    def px(self, mm: float) -> int:
        return max(1, round(mm * self.px_per_mm))

    def font_px(self, size: str) -> int:
        """Return the pixel size whose capitals are at least as high as TYPE_MM says."""
        scale = ELDER_SCALE if self.elder else 1.0
        return -int(-TYPE_MM[size] * scale * self.px_per_mm // self.cap_ratio)


def measures(screen: ScreenSection, cap_ratio: float, *, elder: bool = False) -> Measures:
    """Return the sizes for one screen: 21.5 inch at 1080 x 1920 has 4.03 px to a millimetre."""
    pixels = hypot(screen.width_px, screen.height_px)
    return Measures(pixels / (screen.diagonal_inch * INCH_MM), cap_ratio, elder)


def font() -> QFont:
    """Return the application's font. ``ApplicationWindow.font`` does not reach ``Text``: set it on the application."""
    chosen = QFont()
    chosen.setFamilies(list(FAMILIES))
    return chosen


def cap_ratio_of(chosen: QFont) -> float:
    """Measure a font: height of a capital / pixel size."""
    large = QFont(chosen)
    large.setPixelSize(1000)
    return QFontMetricsF(large).capHeight() / 1000


def palette_for(*, elder: bool, high_contrast: bool) -> Palette:
    """Return the palette, its contrast computed now. Raises ValueError if any of it cannot be read."""
    if high_contrast:
        return palette.checked(palette.HIGH_CONTRAST, palette.READABLE_ELDER)
    if elder:
        return palette.checked(palette.ELDER, palette.READABLE_ELDER)
    return palette.checked(palette.STANDARD, palette.READABLE)


@QmlElement
@QmlSingleton
class Theme(QObject):
    """All colours and sizes of the QML. QML has no literals of its own for either."""

    changed = Signal()

    def __init__(self, screen: ScreenSection, parent: QObject | None = None, *, motion_ms: int = MOTION_MS) -> None:
        super().__init__(parent)
        self._screen = screen
        self._motion_ms = motion_ms
        self._cap_ratio = cap_ratio_of(font())
        self._palette = palette_for(elder=False, high_contrast=False)
        self._high_contrast = False
        self._measures = measures(screen, self._cap_ratio)

    @staticmethod
    def create(engine: QQmlEngine) -> Theme:
        """Called by QML, once for each engine: the theme that ``ui.screen.app`` made for it."""
        theme = engine.property("kioskTheme")
        if not isinstance(theme, Theme):
            raise TypeError("the engine has no theme: ui.screen.app sets it before it loads QML")
        return theme

    def wear(self, *, elder: bool, high_contrast: bool) -> None:
        """Change size and colours of the whole screen."""
        self._palette = palette_for(elder=elder, high_contrast=high_contrast)
        self._high_contrast = high_contrast
        self._measures = measures(self._screen, self._cap_ratio, elder=elder)
        self.changed.emit()

    # -- sizes, px

    @Property(float, notify=changed, final=True)
    def mm(self) -> float:
        return self._measures.px_per_mm

    @Property(int, notify=changed, final=True)
    def panelWidth(self) -> int:
        return self._screen.width_px

    @Property(int, notify=changed, final=True)
    def panelHeight(self) -> int:
        return self._screen.height_px

    @Property(int, notify=changed, final=True)
    def body(self) -> int:
        return self._measures.font_px("body")

    @Property(int, notify=changed, final=True)
    def lead(self) -> int:
        return self._measures.font_px("lead")

    @Property(int, notify=changed, final=True)
    def heading(self) -> int:
        return self._measures.font_px("heading")

    @Property(int, notify=changed, final=True)
    def title(self) -> int:
        return self._measures.font_px("title")

    @Property(int, notify=changed, final=True)
    def room(self) -> int:
        return self._measures.font_px("room")

    @Property(int, notify=changed, final=True)
    def button(self) -> int:
        return self._measures.px(BUTTON_MM)

    @Property(int, notify=changed, final=True)
    def gap(self) -> int:
        return self._measures.px(4)

    @Property(int, notify=changed, final=True)
    def margin(self) -> int:
        return self._measures.px(16)

    @Property(int, notify=changed, final=True)
    def radius(self) -> int:
        return self._measures.px(3)

    @Property(int, notify=changed, final=True)
    def hair(self) -> int:
        return self._measures.px(0.4)

    @Property(float, notify=changed, final=True)
    def stroke(self) -> float:
        return self._measures.px_per_mm * 0.9

    @Property(int, notify=changed, final=True)
    def motion(self) -> int:
        """Milliseconds of a screen's entrance; 0: nothing on the screen moves."""
        return self._motion_ms

    # -- colours

    @Property(bool, notify=changed, final=True)
    def elder(self) -> bool:
        return self._measures.elder

    @Property(QColor, notify=changed, final=True)
    def paper(self) -> QColor:
        return QColor(self._palette.paper)

    @Property(QColor, notify=changed, final=True)
    def surface(self) -> QColor:
        return QColor(self._palette.surface)

    @Property(QColor, notify=changed, final=True)
    def ink(self) -> QColor:
        return QColor(self._palette.ink)

    @Property(QColor, notify=changed, final=True)
    def muted(self) -> QColor:
        return QColor(self._palette.muted)

    @Property(QColor, notify=changed, final=True)
    def accent(self) -> QColor:
        return QColor(self._palette.accent)

    @Property(QColor, notify=changed, final=True)
    def accentPressed(self) -> QColor:
        return QColor(self._palette.accent_pressed)

    @Property(QColor, notify=changed, final=True)
    def scrim(self) -> QColor:
        """Over the screen while a question must be answered first."""
        veil = QColor(self._palette.ink if not self._high_contrast else self._palette.paper)
        veil.setAlphaF(0.8)
        return veil

    @Property(QColor, notify=changed, final=True)
    def veilInk(self) -> QColor:
        """Lines over the live picture, inside a darker line: seen on any face and any lobby."""
        return QColor("#FFFFFF")

    @Property(QColor, notify=changed, final=True)
    def accentInk(self) -> QColor:
        return QColor(self._palette.on_accent)

    @Property(QColor, notify=changed, final=True)
    def accentSoft(self) -> QColor:
        return QColor(self._palette.accent_soft)

    @Property(QColor, notify=changed, final=True)
    def sand(self) -> QColor:
        return QColor(self._palette.sand)

    @Property(QColor, notify=changed, final=True)
    def off(self) -> QColor:
        return QColor(self._palette.off)

    @Property(QColor, notify=changed, final=True)
    def offGround(self) -> QColor:
        return QColor(self._palette.off_ground)

    @Property(QColor, notify=changed, final=True)
    def hairline(self) -> QColor:
        return QColor(self._palette.hairline)

    @Property(QColor, notify=changed, final=True)
    def amber(self) -> QColor:
        return QColor(self._palette.amber)

    @Property(QColor, notify=changed, final=True)
    def amberSoft(self) -> QColor:
        return QColor(self._palette.amber_soft)

    @Property(QColor, notify=changed, final=True)
    def red(self) -> QColor:
        return QColor(self._palette.red)
