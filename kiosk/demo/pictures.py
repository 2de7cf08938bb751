"""The demo's pictures: one of each screen as the guests met it, and all of them on one contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

COLUMNS = 6
TILE_W_PX = 360
GAP_PX = 24
PAPER_BGR = (0xEE, 0xF4, 0xF7)


class Eye(Protocol):
    """Whatever can save what the screen shows."""

    def grab(self, path: Path) -> None: ...


class Album:
    """Takes each picture once, under the name of its screen; ``finish`` writes the contact sheet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: list[Path] = []

    def take(self, name: str, eye: Eye) -> None:
        """Save the screen as ``NN-name.png`` in the place of last time's, unless it is in the album already."""
        if any(path.stem.split("-", 1)[1] == name for path in self._taken):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob(f"[0-9][0-9]-{name}.png"):
            old.unlink()
        path = self._folder / f"{len(self._taken) + 1:02d}-{name}.png"
        eye.grab(path)
        self._taken.append(path)

    def finish(self) -> list[Path]:
        """Write contact-sheet.png. Return all pictures, the sheet first; empty when none was taken."""
        tiles = [image for path in self._taken if (image := cv2.imread(str(path))) is not None]
        if not tiles:
            return []
        sheet = self._folder / "contact-sheet.png"
        cv2.imwrite(str(sheet), contact_sheet([np.asarray(tile, dtype=np.uint8) for tile in tiles]))
        return [sheet, *self._taken]


def contact_sheet(tiles: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return all tiles in rows of six, BGR, on paper."""
    height = round(TILE_W_PX * tiles[0].shape[0] / tiles[0].shape[1])
    rows = -(-len(tiles) // COLUMNS)
    across = min(COLUMNS, len(tiles))
    sheet = np.empty((rows * (height + GAP_PX) + GAP_PX, across * (TILE_W_PX + GAP_PX) + GAP_PX, 3), np.uint8)
    sheet[:] = PAPER_BGR
    for index, tile in enumerate(tiles):
        y = GAP_PX + index // COLUMNS * (height + GAP_PX)
        x = GAP_PX + index % COLUMNS * (TILE_W_PX + GAP_PX)
        sheet[y : y + height, x : x + TILE_W_PX] = cv2.resize(tile, (TILE_W_PX, height), interpolation=cv2.INTER_AREA)
    return sheet
