"""A sync that failed once: nothing that is acknowledged later may stand on what it did not write."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from kiosk.chaos.binding import Connection, connecting
from kiosk.chaos.disk import Disk, Trouble
from kiosk.chaos.drawing import drawn
from kiosk.chaos.judge import judge
from kiosk.chaos.play import Player
from kiosk.chaos.records import Guestbook
from kiosk.chaos.tape import Mood, Surface
from kiosk.errors import OutboxUnavailable


def test_a_restart_after_a_failed_sync_loses_nothing_at_the_next_power_cut(tmp_path: Path) -> None:
    """The kernel shows us the page that it could not write, and writes it no more: the start must not build on it."""
    folder, dice = tmp_path / "play", drawn(1, "failed sync")
    folder.mkdir(mode=0o700)
    disk, book = Disk(folder), Guestbook(dice)
    with connecting(folder, lambda path: Connection(path, disk.vfs)), disk.listening():
        player = Player(folder, dice)
        player.put(book.check_in())
        disk.trouble = Trouble(apsw.SQLITE_IOERR_FSYNC, frozenset({"sync"}), 1, lasting=True)
        with pytest.raises(OutboxUnavailable):
            player.put(book.check_in())
        player.close()  # its last copying into the database fails, too: the log stays
        disk.trouble = None
        player.reopen()
        player.put(book.check_in())
        player.note("check-in")
        step = len(player.diary.steps) - 1
        surface = Surface()
        for op in disk.tape:
            surface.take(op)
        player.close()
    disk.close()
    for mood in Mood:
        verdict = judge(tmp_path / "cut", surface.after_cut(dice, mood), player.diary, step, wall_off_s=0.0)
        assert verdict.faults == ()
        assert verdict.books.acknowledged == 2
