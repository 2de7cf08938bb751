"""``./run screens``: a picture of every screen, the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication, QImage

from kiosk.checkin import states
from kiosk.config import Config, ScreenSection
from tests.ui.stand import SCENES
from ui.screen import pictures, showcase
from ui.screen.viewmodels import frame

ANTIALIASING = 48
"""The edge of a large letter may differ by a few levels: Qt rasterises it anew, or takes it from a cache."""
FOLDERS = ("zh-CN", "zh-CN-elder", "zh-CN-high-contrast", "en", "en-elder", "en-high-contrast")


def test_each_language_and_way_has_a_folder_with_pictures_of_the_panel_s_size(
    qapp: QGuiApplication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pictures.main([str(tmp_path), "--only", "done"]) == 0
    wanted = [tmp_path / folder / f"{name}.png" for folder in FOLDERS for name in ("done", "done-by-hand")]
    assert capsys.readouterr().out.split("\n")[:-1] == [str(path) for path in wanted]
    images = [QImage(str(path)) for path in wanted]
    assert {(image.width(), image.height()) for image in images} == {(1080, 1920)}
    assert len({bytes(image.constBits()) for image in images}) == len(images)


def test_two_runs_give_the_same_pictures(qapp: QGuiApplication, tmp_path: Path) -> None:
    for run in ("one", "two"):
        list(pictures.render(tmp_path / run, Config(screen=ScreenSection(languages=("zh-CN",))), only="re"))
    ones = sorted((tmp_path / "one").rglob("*.png"))
    assert len(ones) >= 30
    for one in ones:
        other = tmp_path / "two" / one.relative_to(tmp_path / "one")
        assert _difference(QImage(str(one)), QImage(str(other))) < ANTIALIASING, one.name


def _difference(one: QImage, other: QImage) -> int:
    """Return the largest difference of two pictures in one pixel's colour, 0..255."""
    pixels = [np.frombuffer(bytes(image.constBits()), np.uint8).astype(np.int16) for image in (one, other)]
    return int(np.abs(pixels[0] - pixels[1]).max())


def test_every_state_of_the_check_in_has_a_picture() -> None:
    shown = {type(scene.shown.state) for scene in SCENES.values()}
    assert shown == set(frame.SCREENS)
    assert shown == set(states.State.__args__)


def test_names_of_pictures_are_unique_and_the_first_is_welcome() -> None:
    names = [scene.name for scene in showcase.scenes()]
    assert len(names) == len(set(names))
    assert names[0] == "welcome"


def test_a_picture_without_the_demo_face_has_a_drawn_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from kiosk.errors import ModelsMissing
    from kiosk.weights import cache
    from ui.screen.placeholder import Placeholder

    def missing(name: str) -> Path:
        raise ModelsMissing(name)

    monkeypatch.setattr(cache, "path", missing)
    camera = Placeholder()
    camera.hold("scan")
    phone = camera.latest()
    camera.hold("capture")
    face = camera.latest()
    assert len(phone[1]) == len(face[1]) == 1280 * 720 * 3
    assert phone[0] != face[0]
    assert phone[1] != face[1]
