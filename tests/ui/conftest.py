"""One Qt application for all tests of the screen, and a screen that is always taken down."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtGui import QGuiApplication

from kiosk.config import Config
from tests.ui.stand import Stand


@pytest.fixture(scope="session")
def qapp_cls() -> type[QGuiApplication]:
    return QGuiApplication


@pytest.fixture
def make_stand(qapp: QGuiApplication) -> Iterator[Callable[..., Stand]]:
    made: list[Stand] = []

    def make(config: Config | None = None, *, motion_ms: int = 0) -> Stand:
        made.append(Stand(config, motion_ms=motion_ms))
        return made[-1]

    yield make
    for stand in made:
        stand.close()


@pytest.fixture
def stand(make_stand: Callable[..., Stand]) -> Stand:
    return make_stand()
