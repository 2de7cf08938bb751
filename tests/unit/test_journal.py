"""The event log outlives power cuts, full disks and kiosks that run for years."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.app import first_visit
from kiosk.checkin.events import Started
from kiosk.checkin.journal import Entry, Journal, entry, read
from kiosk.checkin.states import Scanning, Welcome

BEGUN = entry(1, 10, Welcome(), Started(), Scanning())
LEFT = Entry(1, 20, "Scanning", "Back", "", "Welcome")


def test_a_line_that_a_power_cut_tore_spoils_no_other(tmp_path: Path) -> None:
    log = tmp_path / "visits.jsonl"
    journal = Journal(log)
    journal.write(BEGUN)
    journal.close()
    with log.open("a", encoding="utf-8") as file:
        file.write('{"visit": 1, "ms": 20, "sta')
    journal = Journal(log)
    journal.write(LEFT)
    journal.close()
    assert read(log) == [BEGUN, LEFT]


@pytest.mark.parametrize("content", [b"", b"\n", b"torn"])
def test_a_journal_of_nothing_is_begun(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "visits.jsonl"
    log.write_bytes(content)
    journal = Journal(log)
    journal.write(BEGUN)
    journal.close()
    assert log.read_text(encoding="utf-8").strip().startswith('{"visit"')


def test_a_journal_begins_anew_while_the_kiosk_runs_and_cuts_no_visit_in_two(tmp_path: Path) -> None:
    log = tmp_path / "visits.jsonl"
    journal = Journal(log, max_bytes=250)
    for _ in range(40):
        journal.write(BEGUN)
        journal.write(BEGUN)
        journal.write(LEFT)
    journal.close()
    assert log.stat().st_size < 600
    assert len(read(log)) % 3 == 0
    assert read(tmp_path / "visits.jsonl.1")[-1] == LEFT
    assert journal.lost == 0


def test_two_runs_do_not_number_their_visits_alike() -> None:
    """The replay memory takes a code that was answered under the same number for the same visit's."""
    assert len({first_visit() for _ in range(2000)}) == 2000
