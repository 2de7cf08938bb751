"""The screen as the rest of the kiosk knows it: show a state, hear a touch."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickWindow

from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import Welcome
from ui.screen import theme
from ui.screen.bridge import Bridge
from ui.screen.gate import REPEAT_MM, Gate
from ui.screen.hands import Hands
from ui.screen.preview import Frames, FrameSource
from ui.screen.tastes import Tastes
from ui.screen.viewmodels.kiosk import KioskViewModel
from ui.screen.viewmodels.moment import House

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.staff.sheet import SheetState

QML_DIR = Path(__file__).with_name("qml")
NOBODY_YET = Shown(Ticket(0, 0), Welcome(), offers=Offers(codes=False, face=False, online=False, keys=False))
"""Before the first state arrives nothing is promised."""

__all__ = ["Hands", "Screen"]


class Screen:
    """One window, one scene. Made, run and closed on the main thread.

    ``show``, ``show_sheet`` and ``quit`` may be called from any thread, also before ``exec``: they
    are queued. ``preview`` is called on the GUI thread and must not block.
    """

    def __init__(self, config: Config, hands: Hands, preview: FrameSource, *, motion_ms: int = theme.MOTION_MS) -> None:
        self._app = _application()
        screen = config.screen
        self.started: float | None = None
        """``time.monotonic()`` of the first frame; None before it."""
        self._root = QObject()
        self.gate = Gate(hands, theme.measures(screen, 1.0).px(REPEAT_MM), self._root)
        self._tastes = Tastes(self.gate, screen.languages, screen.idle_s, self._root)
        house = House(
            config.kiosk.hotel_name_zh, config.kiosk.hotel_name_en, config.kiosk.mode == "demo", screen.languages
        )
        self._theme = theme.Theme(screen, self._root, motion_ms=motion_ms)
        self._tastes.changed.connect(self._dress)
        # The theme is dressed before the words change, so no frame shows large words in a small screen.
        self._frames = Frames(preview, self._root)
        self._model = KioskViewModel(house, self.gate, self._tastes, self._frames, NOBODY_YET, self._root)
        # Not ``quit``: that asks every window to close first, and a real kiosk's window does not.
        self._bridge = Bridge(self._model.show, self._model.show_sheet, lambda: self._app.exit(0), self._root)
        self._engine: QQmlApplicationEngine | None = QQmlApplicationEngine()
        self._engine.setProperty("kioskTheme", self._theme)
        self.window = self._load(self._engine)
        self._fit(demo=house.demo)
        self.window.frameSwapped.connect(self._first_frame)

    @property
    def offscreen(self) -> bool:
        """Whether nobody can see it, for want of a display."""
        return self._app.platformName() == "offscreen"

    def show(self, shown: Shown) -> None:
        """Show a state of the check-in."""
        self._bridge.show(shown)

    def show_sheet(self, sheet: SheetState) -> None:
        """Show the staff sheet, or close it."""
        self._bridge.show_sheet(sheet)

    def exec(self) -> int:
        """Run Qt until ``quit``. Blocks; main thread only."""
        return self._app.exec()

    def quit(self) -> None:
        """End ``exec``."""
        self._bridge.leave()

    def close(self) -> None:
        """Take the scene down. The engine goes first: its bindings look at our objects. Safe to call twice."""
        for timer in self._root.findChildren(QTimer):
            timer.stop()  # what is dropped later, on whatever thread, must have none that runs
        if self._engine is not None:
            self.window.close()
            del self._engine
            self._engine = None

    def _load(self, engine: QQmlApplicationEngine) -> QQuickWindow:
        engine.addImportPath(str(QML_DIR))
        engine.setInitialProperties({"kiosk": self._model})
        engine.loadFromModule("Kiosk", "Main")
        roots = engine.rootObjects()
        if not roots or not isinstance(roots[0], QQuickWindow):
            raise RuntimeError("the scene did not load; the messages above say why")
        return roots[0]

    def _fit(self, *, demo: bool) -> None:
        """A real kiosk fills its panel and has no pointer; the demo's window fits on whatever display there is."""
        if not demo:
            self._app.setOverrideCursor(Qt.CursorShape.BlankCursor)
        elif not self.offscreen:
            room, size = self.window.screen().availableSize() * 0.92, self.window.size()
            self.window.resize(size.boundedTo(size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio)))

    def _dress(self) -> None:
        self._theme.wear(elder=self._tastes.elder, high_contrast=self._tastes.high_contrast)

    def _first_frame(self) -> None:
        self.started = time.monotonic()
        self.window.frameSwapped.disconnect(self._first_frame)


def _application() -> QGuiApplication:
    """Return the process's one Qt application, made for a software-rendered kiosk."""
    existing = QGuiApplication.instance()
    if isinstance(existing, QGuiApplication):
        existing.setFont(theme.font())
        return existing
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    os.environ.setdefault("QSG_RENDER_LOOP", "basic")
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QGuiApplication(sys.argv[:1])
    app.setApplicationName("suizhu")
    app.setFont(theme.font())
    return app
