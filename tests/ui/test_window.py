"""The window itself: quick to come, cheap while it waits, shut to keys, safe from any thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication, QWindow

from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import Scanning, Welcome
from kiosk.config import Config
from tests.ui.stand import Stand
from ui.screen.bridge import Bridge
from ui.screen.pictures import settle

IDLE_FRAMES_PER_S = 11
"""The breathing ring steps ten times a second."""

FIRST_FRAME = """
import time
from kiosk.config import Config
from ui.screen.app import Screen
from ui.screen.pictures import nobody, settle
began = time.monotonic()
screen = Screen(Config(), nobody(), lambda: None)
settle(lambda: screen.started is not None)
print(screen.started - began)
screen.close()
"""


@pytest.mark.timeout(60)
def test_the_first_frame_comes_within_half_a_second() -> None:
    command = [sys.executable, "-P", "-c", FIRST_FRAME]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    took = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=20) for _ in "123"
    ]
    assert [one.stderr for one in took] == ["", "", ""]
    assert min(float(one.stdout) for one in took) < 0.5  # the other two may share the machine with other work


def test_an_idle_screen_paints_ten_times_a_second_and_a_question_not_at_all(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand(motion_ms=200)
    frames: list[None] = []

    def swapped() -> None:
        frames.append(None)

    stand.window.frameSwapped.connect(swapped)
    stand.show(Welcome())
    stand.rest(0.5)
    frames.clear()
    stand.rest(1.0)
    assert 1 <= len(frames) <= IDLE_FRAMES_PER_S
    stand.scene("reservation")
    stand.rest(0.5)
    frames.clear()
    stand.rest(0.5)
    assert frames == []


def test_a_screen_comes_in_and_then_stands_still(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand(motion_ms=200)
    stand.scene("reservation")
    stand.rest(0.4)
    stage = stand.item("heading").parentItem()
    assert stage.opacity() == 1.0
    assert stage.property("arrival") == 0


def test_states_from_other_threads_arrive_in_order_on_the_gui_thread(qapp: QGuiApplication) -> None:
    seen: list[tuple[int, bool]] = []
    gui = threading.get_ident()

    def show(shown: Shown) -> None:
        seen.append((shown.ticket.turn, threading.get_ident() == gui))

    bridge = Bridge(show, lambda sheet: None, lambda: None)

    def send() -> None:
        for turn in range(200):
            bridge.show(Shown(Ticket(1, turn), Scanning()))

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    settle(lambda: len(seen) == 200)
    assert seen == [(turn, True) for turn in range(200)]


def test_a_real_kiosk_fills_the_panel_and_cannot_be_closed(make_stand: Callable[..., Stand]) -> None:
    config = Config()
    stand = make_stand(config.model_copy(update={"kiosk": config.kiosk.model_copy(update={"mode": "production"})}))
    assert stand.window.visibility() == QWindow.Visibility.FullScreen
    assert QGuiApplication.overrideCursor().shape() == Qt.CursorShape.BlankCursor
    QGuiApplication.restoreOverrideCursor()
    close = QCloseEvent()
    QCoreApplication.sendEvent(stand.window, close)
    assert stand.window.isVisible()


def test_closing_twice_is_harmless(stand: Stand) -> None:
    stand.close()
    stand.close()
