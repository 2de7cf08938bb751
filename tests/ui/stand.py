"""A screen in front of us, with hands that remember what they were asked to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QAccessible
from PySide6.QtQuick import QQuickItem

from kiosk.checkin import consent
from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import State, Welcome
from kiosk.config import Config, ScreenSection
from ui.screen import touch
from ui.screen.app import Screen
from ui.screen.hands import Hands
from ui.screen.pictures import pose, settle, touch_when_open
from ui.screen.showcase import NOW, Scene, scenes

SCENES = {scene.name: scene for scene in scenes()}


@dataclass
class Told:
    """Everything the screen asked its hands to do, in order."""

    sent: list[tuple[Event, Ticket]] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        return [event for event, _ in self.sent]

    def of(self, name: str) -> list[tuple[str, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]


@dataclass(frozen=True)
class Spoken:
    """One thing that a screen reader would say."""

    role: QAccessible.Role
    name: str
    description: str
    value: str


def hands_of(told: Told) -> Hands:
    def note(name: str) -> Callable[..., None]:
        return lambda *values: told.calls.append((name, *map(str, values)))

    return Hands(
        send=lambda event, ticket: told.sent.append((event, ticket)),
        still_here=note("still_here"),
        activity=note("activity"),
        staff_open=note("staff_open"),
        staff_pin=note("staff_pin"),
        staff_approve=note("staff_approve"),
        staff_retry=note("staff_retry"),
        staff_end=note("staff_end"),
        staff_close=note("staff_close"),
        new_consent=lambda purpose, language: consent.give(purpose, language, NOW),
        elder_mode=note("elder_mode"),
    )


class Stand:
    """One screen under test. Nothing moves on it, so what is seen does not depend on when."""

    def __init__(self, config: Config | None = None, *, motion_ms: int = 0) -> None:
        self.told = Told()
        self.frame: tuple[int, memoryview] | None = None
        self.screen = Screen(config or Config(), hands_of(self.told), lambda: self.frame, motion_ms=motion_ms)
        self.window = self.screen.window
        self.mm = self.screen.window.width() / panel_width_mm(config or Config())
        self._turn = 0
        settle(lambda: self.screen.started is not None)

    def show(self, state: State, *, visit: int = 1, number: str = "", left: int | None = None, **offers: bool) -> Shown:
        """Show a state and wait until it can be touched."""
        shown = self.look(state, visit=visit, number=number, left=left, **offers)
        settle(lambda: self.screen.gate.open)
        return shown

    def look(self, state: State, *, visit: int = 0, number: str = "", left: int | None = None, **offers: bool) -> Shown:
        """Show a state and wait until it is painted."""
        self._turn += 1
        shown = Shown(Ticket(visit, self._turn), state, number, left, Offers(**offers))
        pose(self.screen, Scene("", shown))
        return shown

    def show_welcome(self) -> None:
        self.show(Welcome(), visit=0)

    def scene(self, name: str, *, visit: int = 0, touched: bool = True) -> Scene:
        """Show a screen of the showcase, and wait until it can be touched unless it is only looked at."""
        self._turn += 1
        scene = SCENES[name]
        scene = replace(scene, shown=replace(scene.shown, ticket=Ticket(visit, self._turn)))
        pose(self.screen, scene)
        if touched:
            settle(lambda: self.screen.gate.open)
        return scene

    def read(self, ways: tuple[str, ...]) -> None:
        """Touch what the welcome screen offers for reading: ``elderButton``, ``contrastButton``, ``languageButton``."""
        self.show_welcome()
        for name in ways:
            self.tap(name)

    def tap(self, name: str) -> None:
        touch_when_open(self.screen, name)

    def can_tap(self, name: str) -> bool:
        place = touch.place(self.window, name)
        return place is not None and self.screen.gate.takes(place.x(), place.y())

    def wait(self, ready: Callable[[], bool]) -> None:
        settle(ready)

    def rest(self, seconds: float) -> None:
        """Let Qt work for a while: for what must not happen."""
        end = time.monotonic() + seconds
        settle(lambda: time.monotonic() >= end)

    def item(self, name: str) -> QQuickItem:
        found = touch.find(self.window, name)
        assert found is not None, f"{name} is not on the screen"
        return found

    def text(self, name: str) -> str:
        return str(self.item(name).property("text"))

    def texts(self) -> list[str]:
        """Every text anywhere in the scene, hidden or not."""
        return [str(item.property("text")) for item in self.items() if item.inherits("QQuickText")]

    def items(self, *, seen: bool = False) -> Iterator[QQuickItem]:
        """Every item of the scene; only those that are visible, if ``seen``."""
        pending = [self.window.contentItem()]
        while pending:
            item = pending.pop()
            if seen and not item.isVisible():
                continue
            yield item
            pending.extend(item.childItems())

    def spoken(self) -> list[Spoken]:
        """Everything that assistive technology finds, from the window down."""
        QAccessible.setActive(True)
        found: list[Spoken] = []
        pending = [QAccessible.queryAccessibleInterface(self.window)]
        while pending:
            at = pending.pop()
            if at.state().invisible:
                continue
            kinds = (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value)
            found.append(Spoken(at.role(), *(at.text(kind) for kind in kinds)))
            pending += [at.child(index) for index in range(at.childCount())]
        return found

    def close(self) -> None:
        self.screen.close()


def panel_width_mm(config: Config) -> float:
    screen: ScreenSection = config.screen
    diagonal_px = (screen.width_px**2 + screen.height_px**2) ** 0.5
    return screen.width_px * screen.diagonal_inch * 25.4 / diagonal_px


def rect_of(item: QQuickItem) -> QRectF:
    """Return an item's place in the scene, px."""
    return QRectF(item.mapToScene(QPointF(0, 0)), item.mapToScene(QPointF(item.width(), item.height())))


def is_touch(item: QQuickItem) -> bool:
    """Say whether a finger can press this item. The brand is no button: only a long press opens the staff sheet."""
    return any(child.inherits("QQuickTapHandler") for child in item.children()) and item.property("label") is not None
