"""Who asks a stopped kiosk whose database is damaged never hears that nothing waits: it is brought back first."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.owner import STORE_FILE
from offline_queue.recovery import mending
from tests.unit.queue_kit import Kiosk, told

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Kiosk]:
    """Two records wait in its file, whose beginning is lost."""
    with closing(Kiosk(tmp_path, running=False)) as made:
        with (made.state_dir / STORE_FILE).open("r+b") as file:
            file.write(b"no database any more")
        yield made


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is brought back, as from a disk that does not answer."""
    monkeypatch.setattr(mending, "salvage", lambda site, damaged, stopping: None)


def exported(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery staple\n"))
    who = ("--operator", "li.na", "--reason", "network gone")
    return kiosk.asked(
        "export", str(kiosk.state_dir.parent / "out.zip"), *who, "--no-pdf", "--passphrase-stdin", *words
    )


@pytest.mark.parametrize("words", [["list", "--waiting"], ["list", "--csv"]])
def test_a_list_holds_what_the_damaged_file_held(
    damaged: Kiosk, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert damaged.asked(*words, "--json") == 0
    assert {row["record"] for row in told(capsys)["rows"]} == {damaged.rejected, damaged.waiting}


def test_a_record_of_the_damaged_file_is_shown(damaged: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert damaged.asked("show", damaged.waiting) == 0
    assert "林*安" in capsys.readouterr().out


def test_an_export_takes_what_the_damaged_file_held(
    damaged: Kiosk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exported(damaged, monkeypatch, "--json") == 0
    document = told(capsys)
    assert (document["records"], document["set_aside"]) == (2, 0)


@pytest.mark.usefixtures("held_up")
def test_an_export_that_lacks_the_damaged_files_records_says_so_and_fails(
    damaged: Kiosk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exported(damaged, monkeypatch) == 1
    words = capsys.readouterr().out
    assert "INCOMPLETE: what lies in 1 damaged database is not back yet" in words
    assert "every record is delivered" not in words
    assert exported(damaged, monkeypatch, "--json") == 1
    assert told(capsys)["set_aside"] == 1


@pytest.mark.usefixtures("held_up")
def test_an_empty_list_beside_a_damaged_file_says_so(damaged: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert damaged.asked("list", "--waiting") == 0
    assert "but what lies in 1 damaged database is not back yet" in capsys.readouterr().out


@pytest.mark.usefixtures("held_up")
def test_a_salvage_that_is_not_finished_says_so_and_fails(damaged: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert damaged.asked("salvage") == 1
    assert "1 damaged database not brought back yet: ask again" in capsys.readouterr().out
    assert damaged.asked("salvage", "--json") == 1
    assert told(capsys)["waiting"] == 1


def test_the_log_tells_in_words_what_came_back(damaged: Kiosk, caplog: pytest.LogCaptureFixture) -> None:
    assert damaged.asked("salvage") == 0
    (told,) = [one.getMessage() for one in caplog.records if " salvaged: " in one.getMessage()]
    assert "events 3, brought_back 3" in told
    assert "{" not in told
