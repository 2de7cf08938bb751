"""What the screen's hands do to the kiosk behind it."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication

from kiosk.checkin.mail import Mail, Stretched
from kiosk.config import Config, ScreenSection
from kiosk.start import LiveKiosk


class Kiosk:
    """Stands for the kiosk and its runner, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Mail] = []
        self.runner = self

    def tell(self, mail: Mail) -> None:
        self.told.append(mail)


def test_elder_mode_gives_the_time_of_the_settings_once_the_kiosk_is_ready(qapp: QGuiApplication) -> None:
    live, kiosk = LiveKiosk(Config(screen=ScreenSection(idle_s=40, elder_idle_s=100))), Kiosk()
    hands = live._hands()
    hands.elder_mode(True)
    live.kiosk = kiosk  # type: ignore[assignment]
    live.ready.set()
    hands.elder_mode(True)
    hands.elder_mode(False)
    live.kiosk = None
    live.screen.close()
    assert kiosk.told == [Stretched(pytest.approx(2.5)), Stretched(1.0)]
