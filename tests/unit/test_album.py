"""The demo's album: its own pictures are replaced, nobody else's are touched; a folder of no use is said first."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.demo.command import main
from kiosk.demo.pictures import Album


class Eye:
    def grab(self, path: Path) -> None:
        cv2.imwrite(str(path), np.zeros((192, 108, 3), np.uint8))


def filled(folder: Path, *names: str) -> list[str]:
    album = Album(folder)
    for name in names:
        album.take(name, Eye())
    return [path.name for path in album.finish()]


def test_the_pictures_of_last_time_are_replaced(tmp_path: Path) -> None:
    assert filled(tmp_path, "welcome", "scan") == ["contact-sheet.png", "01-welcome.png", "02-scan.png"]
    filled(tmp_path, "scan", "welcome")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01-scan.png", "02-welcome.png", "contact-sheet.png"]


def test_pictures_of_somebody_else_stay(tmp_path: Path) -> None:
    (tmp_path / "07-holiday.png").write_bytes(b"mine")
    for _ in range(2):
        filled(tmp_path, "welcome")
    assert (tmp_path / "07-holiday.png").read_bytes() == b"mine"


def test_a_folder_that_cannot_be_made_is_said_before_a_guest_comes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"no pictures can be kept in .*file/demo: Not a directory"):
        main(["--pictures", str(tmp_path / "file" / "demo")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_nor_in_one_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SystemExit, match="Permission denied"):
        main(["--pictures", str(tmp_path)])
