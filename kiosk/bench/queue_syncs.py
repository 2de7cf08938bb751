"""How often the disk is told to sync for one put, counted below SQLite."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import apsw
from typing_extensions import override

from kiosk.bench.outbox_stand import Stand, photos_bytes, registrations
from kiosk.chaos.binding import Connection, connecting


class _Counting(apsw.VFS):
    """The system's own file system, with a count of syncs."""

    def __init__(self) -> None:
        self.syncs = 0
        super().__init__("counting", "")

    @override
    def xOpen(self, name: Any, flags: list[int]) -> Any:
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: _Counting, name: Any, flags: list[int]) -> None:  # noqa: ANN401
        self._disk = disk
        super().__init__("", name, flags)

    @override
    def xSync(self, flags: int) -> None:
        self._disk.syncs += 1
        super().xSync(flags)


def syncs_per_put(folder: Path, puts: int, seed: int) -> float:
    """Return syncs for each put of a 40 KB record, checkpoints included."""
    book = registrations(Random(seed), photos_bytes(40_000))  # noqa: S311
    disk = _Counting()
    with connecting(folder, lambda path: Connection(path, "counting")), Stand(folder / "syncs") as stand:
        before = disk.syncs
        for _ in range(puts):
            stand.owner.outbox.put(book())
        counted = disk.syncs - before
    disk.unregister()
    return counted / puts
