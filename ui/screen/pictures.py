"""``./run screens DIR``: a picture of every screen, in each language and each way to read it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.checkin import consent
from kiosk.config import Config
from ui.screen.hands import Hands

if TYPE_CHECKING:
    from PySide6.QtQuick import QQuickWindow

    from ui.screen.app import Screen
    from ui.screen.showcase import Scene

WAYS: dict[str, tuple[str, ...]] = {"": (), "-elder": ("elderButton",), "-high-contrast": ("contrastButton",)}
"""Folder's ending, and what a guest touches on the welcome screen to read it that way."""
SETTLE_S = 5.0


def main(argv: list[str]) -> int:
    """Write DIR/<language>[-elder|-high-contrast]/<screen>.png and print each path."""
    parser = argparse.ArgumentParser(prog="./run screens", description="Render every screen in every language.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--only", default="", help="only screens whose name begins with this")
    arguments = parser.parse_args(argv)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    for path in render(arguments.folder, Config(), arguments.only):
        sys.stdout.write(f"{path}\n")
    return 0


def render(folder: Path, config: Config, only: str = "") -> Iterator[Path]:
    """Yield the path of each picture as it is written. Main thread only."""
    for language in config.screen.languages:
        others = tuple(other for other in config.screen.languages if other != language)
        screen = config.screen.model_copy(update={"languages": (language, *others)})
        for ending, touches in WAYS.items():
            yield from _way(folder / f"{language}{ending}", config.model_copy(update={"screen": screen}), touches, only)


def _way(folder: Path, config: Config, touches: tuple[str, ...], only: str) -> Iterator[Path]:
    from ui.screen.app import Screen
    from ui.screen.placeholder import Placeholder
    from ui.screen.showcase import scenes

    folder.mkdir(parents=True, exist_ok=True)
    frames = Placeholder()
    screen = Screen(config, nobody(), frames.latest, motion_ms=0)
    try:
        for scene in scenes():
            frames.hold(scene.name)
            pose(screen, scene)
            for name in touches:
                touch_when_open(screen, name)
            touches = ()
            if scene.name.startswith(only):
                path = folder / f"{scene.name}.png"
                screen.window.grabWindow().save(str(path))
                yield path
    finally:
        screen.close()


def pose(screen: Screen, scene: Scene) -> None:
    """Show a scene and return when it is on the screen."""
    screen.show(scene.shown)
    screen.show_sheet(scene.sheet)
    settle(lambda: screen.gate.ticket == scene.shown.ticket)
    for name in scene.typed:
        touch_when_open(screen, name)
    paint(screen.window)


def touch_when_open(screen: Screen, name: str) -> None:
    """Touch a control as soon as it takes touches, and return when what it led to is painted."""
    from ui.screen import touch

    def takes() -> bool:
        place = touch.place(screen.window, name)
        return place is not None and screen.gate.takes(place.x(), place.y())

    settle(takes)
    touch.tap(screen.window, name)
    paint(screen.window)


def paint(window: QQuickWindow) -> None:
    """Return after the next frame: only then is everything laid out."""
    frames: list[None] = []

    def swapped() -> None:
        frames.append(None)

    window.frameSwapped.connect(swapped)
    window.update()
    try:
        settle(lambda: bool(frames))
    finally:
        window.frameSwapped.disconnect(swapped)


def settle(ready: Callable[[], bool]) -> None:
    """Let Qt work until ``ready()``. Raises TimeoutError."""
    from PySide6.QtCore import QCoreApplication, QEventLoop

    end = time.monotonic() + SETTLE_S
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"the screen did not settle within {SETTLE_S:.0f} s")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def nobody() -> Hands:
    """Return hands that do nothing: nobody is behind these screens."""

    def nothing(*_: object) -> None:
        pass

    from ui.screen.showcase import NOW

    return Hands(
        send=nothing,
        still_here=nothing,
        activity=nothing,
        staff_open=nothing,
        staff_pin=nothing,
        staff_approve=nothing,
        staff_retry=nothing,
        staff_end=nothing,
        staff_close=nothing,
        new_consent=lambda purpose, language: consent.give(purpose, language, NOW),
    )
