"""``./run queue``: asks the running kiosk, or opens the file of a stopped one; the same answers, always masked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import cli
from kiosk.errors import ContractError, OutboxUnavailable
from offline_queue.commands import status
from offline_queue.commands.main import main
from offline_queue.commands.table import MASKED_COLUMNS
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import ADDRESS, NAME, NUMBER, event, new_id, opened, state
from tests.unit.queue_kit import Kiosk

pytestmark = pytest.mark.timeout(30)


@pytest.fixture(params=[True, False], ids=["running", "stopped"])
def kiosk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=request.param)) as made:
        yield made


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    out = capsys.readouterr().out
    return json.loads(out.splitlines()[-1])


def test_list_in_words(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("list") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["RECORD", "REV", "OP", "STATE", "FAILED", "DUE", "AGE", "LAST", "ANSWER"]
    assert [line.split()[0] for line in lines] == [kiosk.waiting, kiosk.rejected, kiosk.delivered]
    assert "waits to be sent" in lines[0]
    assert "in 60 min" in lines[0]
    assert "rejected: a person must decide" in lines[1]
    assert "E24 guest.ethnicity (ethnicity)" in lines[1]
    assert "delivered" in lines[2]
    assert lines[2].endswith("R-1")


def test_list_of_what_waits(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("list", "--waiting", "--limit", "1", "--json") == 0
    rows = last_line(capsys)["rows"]
    assert [row["record"] for row in rows] == [kiosk.rejected]  # type: ignore[attr-defined]


def test_list_of_what_staff_should_look_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Kiosk(tmp_path, running=False)) as stopped:
        assert stopped.asked("list", "--flagged") == 0
        assert "no delivered record needs a look" in capsys.readouterr().out
        with opened(stopped.state_dir) as owner:
            warned = event(owner, stopped.delivered)

            def flag(store: Store) -> None:
                with store.transaction():
                    store.note([warned], flag="E304 guest.idNumber")

            owner.call(flag)
        assert stopped.asked("list", "--flagged") == 0
        (line,) = capsys.readouterr().out.splitlines()[1:]
        assert line.startswith(stopped.delivered)
        assert "guest is registered elsewhere already" in line


def test_status(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("status", "--json") == 0
    told = last_line(capsys)
    assert told["counts"] == {"DELIVERED": 1, "REJECTED": 1, "READY": 1}
    assert told["unsent"] == 2
    assert kiosk.asked("status") == 0
    words = capsys.readouterr().out
    assert "1  REJECTED     rejected: a person must decide" in words
    assert "legal clock: green" in words


def test_an_empty_outbox_has_no_legal_clock() -> None:
    row = {"running": True, "counts": {}, "unsent": 0, "due": "none", "next_due_at": None, "line": {"open": True}}
    assert status.sentences(row) == ["     0  not delivered", "line:   open"]
    catching_up: dict[str, object] = {"on": True, "behind": True, "why": ""}
    assert len(status.sentences({**row, "copy": catching_up})) == 2, "a copy that only catches up worries nobody"
    assert status.sentences({**row, "copy": catching_up | {"why": "no space"}})[2].endswith("is behind: no space")


def test_show_is_masked(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("show", kiosk.waiting) == 0
    words = capsys.readouterr().out
    assert "林*安, 310199********0026" in words
    assert "id, live, text" in words
    assert kiosk.asked("show", kiosk.waiting, "--json") == 0
    assert last_line(capsys)["rows"][0]["room"] == "1208"  # type: ignore[index]


def test_nothing_printed_is_personal(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["status"], ["list"], ["list", "--waiting"], ["list", "--csv"], ["show", kiosk.waiting], ["verify"]):
        assert kiosk.asked(*words) == 0
        assert kiosk.asked(*words, "--json") == 0
    told = capsys.readouterr()
    for secret in (NAME, NUMBER, ADDRESS, NUMBER[6:14]):
        assert secret not in told.out + told.err


def test_the_csv_of_what_waits_is_masked_and_runs_nothing(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("list", "--csv") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert tuple(rows[0]) == MASKED_COLUMNS
    assert [row["record"] for row in rows] == [kiosk.rejected, kiosk.waiting]
    assert (rows[1]["name"], rows[1]["number"], rows[1]["room"]) == ("林*安", "310199********0026", "1208")
    assert rows[0]["room"] == "'=HYPERLINK(1)"


def test_retry(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("retry", kiosk.rejected, "--json") == 0
    assert last_line(capsys)["rows"][0]["state"] == "READY"  # type: ignore[index]
    assert kiosk.asked("retry") == 0
    assert kiosk.asked("retry", kiosk.waiting) == 0  # its chain does not change: the audit alone tells of it
    assert [entry.fields["record"] for entry in kiosk.audited("queue.retry")] == [kiosk.rejected, kiosk.waiting]
    told = "the line is tried now" if kiosk.running else "the kiosk is stopped: it tries the line when it starts"
    assert told in capsys.readouterr().out
    if kiosk.running:
        assert kiosk.owner is not None
        assert state(kiosk.owner, kiosk.rejected) is EventState.READY


def test_show_says_what_a_person_decides_and_who_is_not_named(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("show", kiosk.rejected) == 0
    assert f"./run queue amend {kiosk.rejected} --operator NAME --correct" in capsys.readouterr().out
    assert kiosk.asked("amend", kiosk.waiting, "--operator", "li.na", "--room", "1209") == 0
    assert kiosk.asked("show", kiosk.waiting) == 0
    words = capsys.readouterr().out
    assert "not named in this revision" in words
    assert "next" not in words


@pytest.mark.parametrize("coding", ["ascii", "latin-1", "gbk"])
def test_json_stays_json_on_a_terminal_of_another_coding(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, coding: str
) -> None:
    printed = io.TextIOWrapper(io.BytesIO(), coding)
    monkeypatch.setattr("sys.stdout", printed)
    assert kiosk.asked("show", kiosk.waiting, "--json") == 0
    printed.seek(0)
    assert json.loads(printed.read())["rows"][0]["name"] == "林*安"


@pytest.mark.parametrize("words", [["show", "nobody"], ["show", new_id()], ["retry", new_id()]])
def test_an_unknown_record_is_told(kiosk: Kiosk, words: list[str]) -> None:
    with pytest.raises(ContractError, match="queue list"):
        kiosk.asked(*words)


@pytest.mark.parametrize("words", [[], ["erase"], ["list", "--limit", "0"], ["list", "--limit", "x"], ["show"]])
def test_a_wrong_command_line_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: ./run queue" in capsys.readouterr().err


def test_no_outbox_yet_is_told_and_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[kiosk]\nstate_dir = "var"\n')
    assert cli.run(["queue", "list", "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert "no outbox yet in" in told
    assert "./run start" in told
    assert not (tmp_path / "var").exists()


def test_a_held_outbox_without_a_socket_is_not_opened(tmp_path: Path) -> None:
    with closing(Kiosk(tmp_path, running=True)) as kiosk:
        kiosk.server.stop()
        with pytest.raises(OutboxUnavailable, match="held by process"):
            kiosk.asked("list")


def test_an_empty_outbox_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[kiosk]\nstate_dir = "var"\n')
    with opened(tmp_path / "var"):
        pass
    assert main(["list", "--config", str(config)]) == 0
    assert "nothing in the outbox" in capsys.readouterr().out
    assert main(["list", "--json", "--config", str(config)]) == 0
    assert last_line(capsys) == {"rows": []}


def test_it_is_in_the_table_of_commands() -> None:
    assert cli.load("queue") is main
