"""What caretaker and auditor ask for: verify, purge with its receipts and holds, a change of the key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kiosk.errors import ContractError
from offline_queue.answering import asking, attending
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import status
from offline_queue.delivery.authority_time import AuthorityTime
from offline_queue.owner import KEY_FILE, SOCKET_FILE, STORE_FILE
from offline_queue.recovery import mending
from tests.outbox_kit import TurnedClock, new_id, raw
from tests.stopwatch import Stopwatch
from tests.unit.queue_kit import Kiosk, past_its_time, told

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=[True, False], ids=["running", "stopped"])
def kiosk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=request.param)) as made:
        yield made


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=False)) as made:
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "device.pem").write_bytes(key)
        made.config.write_text('[kiosk]\nstate_dir = "var"\n[reporting]\ndevice_key_file = "device.pem"\n')
        yield made


def test_a_whole_outbox_verifies(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("verify", "--json") == 0
    document = told(capsys)
    assert (document["whole"], document["events"], document["faults"]) == (True, 3, [])
    assert kiosk.asked("verify") == 0
    assert "everything holds" in capsys.readouterr().out


def test_an_outbox_with_a_fault_verifies_with_exit_status_one(
    stopped: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(raw(stopped.state_dir)) as store:
        store.execute("UPDATE tally SET n = n + 1 WHERE state = 'DELIVERED'")
    assert stopped.asked("verify", "--json") == 1
    assert told(capsys)["whole"] is False
    assert stopped.asked("verify") == 1
    words = capsys.readouterr().out
    assert "tally" in words
    assert "Next: ./run queue salvage" in words


def test_the_pages_of_a_stopped_kiosks_file_are_checked_too(stopped: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    with (stopped.state_dir / STORE_FILE).open("r+b") as file:
        file.seek(36)  # how many pages are free: no row tells of it
        file.write(b"\0\0\0\7")
    assert stopped.asked("verify", "--json") == 1
    assert "reelist" in str(told(capsys)["faults"])


def test_a_new_store_in_the_place_of_a_damaged_one_is_not_called_whole(
    stopped: Kiosk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (stopped.state_dir / STORE_FILE).open("r+b") as file:
        file.write(b"no database any more")
    with monkeypatch.context() as held_up:
        held_up.setattr(mending, "salvage", lambda site, damaged, stopping: None)
        assert stopped.asked("verify", "--json") == 1
        document = told(capsys)
        assert (document["whole"], document["events"]) == (False, 0)
        assert stopped.asked("verify") == 1
        assert "database: 1 damaged file set aside" in capsys.readouterr().out
        assert stopped.asked("status") == 0
        words = capsys.readouterr().out
        assert "1 damaged database set aside; what is in it is not counted above" in words
        assert "./run queue salvage brings it back" in words
    assert stopped.asked("salvage") == 0
    capsys.readouterr()
    assert stopped.asked("verify", "--json") == 0
    assert told(capsys)["events"] == 3


def test_a_dry_run_erases_nothing_and_says_how_much(stopped: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    past_its_time(stopped)
    assert stopped.asked("purge", "--dry-run", "--json") == 0
    row = told(capsys)
    assert (row["records"], row["held"], row["dry_run"], row["clock"]) == (1, 0, True, "machine")
    assert stopped.asked("purge", "--dry-run") == 0
    assert f"by this machine's clock, which says {row['now'][:13]}" in capsys.readouterr().out
    assert stopped.audited("queue.purge") == []
    stopped.asked("show", stopped.delivered)
    assert "林*安" in capsys.readouterr().out


def test_a_clock_that_jumps_far_ahead_of_the_authoritys_erases_nothing_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Kiosk(tmp_path, running=True)) as kiosk:
        assert kiosk.owner is not None
        kiosk.owner.clock = clock = TurnedClock()
        kiosk.owner.authority_time = AuthorityTime(time.time(), clock.mono())
        clock.wall_off = 40 * 86_400  # it jumped after the line was last looked at
        for words in (["--dry-run"], []):
            assert kiosk.asked("purge", *words, "--json") == 0
            row = told(capsys)
            assert (row["records"], row["clock"]) == (0, "authority")
        kiosk.owner.authority_time = None
        assert kiosk.asked("purge", "--dry-run", "--json") == 0
        assert told(capsys)["records"] == 1, "the control"


def test_a_record_on_hold_is_not_erased(stopped: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    past_its_time(stopped)
    assert stopped.asked("purge", "--hold", stopped.delivered, "--case", "2026-117") == 0
    assert stopped.audited("queue.hold")[0].fields["case"] == "2026-117"
    assert stopped.asked("purge") == 0
    assert "1 past their time are kept for a legal hold" in capsys.readouterr().out
    assert stopped.asked("purge", "--release", stopped.delivered) == 0
    assert stopped.asked("purge") == 0
    assert "1 record erased" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [["--receipt", "nobody"], ["--receipt", new_id()], ["--hold", new_id()], ["--hold", new_id(), "--case", "1"]],
)
def test_a_record_that_is_none_is_told(kiosk: Kiosk, words: list[str]) -> None:
    with pytest.raises(ContractError):
        kiosk.asked("purge", *words)


def test_a_new_key_opens_what_waits_and_the_old_one_is_gone(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    old = (kiosk.state_dir / KEY_FILE).read_bytes()
    assert kiosk.asked("rotate-keys", "--json") == 0
    document = told(capsys)
    assert (document["kept_in"], document["resumed"]) == ("file", False)
    assert document["rewrapped"] > 0
    assert (kiosk.state_dir / KEY_FILE).read_bytes() != old
    assert len(kiosk.audited("queue.rotate_keys")) == 1
    kiosk.asked("show", kiosk.waiting)
    assert "林*安" in capsys.readouterr().out


def test_while_one_long_question_is_answered_short_ones_are_and_a_second_is_told_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(self: Answers, inquiry: Inquiry, by: str) -> Iterator[dict[str, object]]:
        if inquiry.ask == "verify":
            began.set()
            assert go_on.wait(20)
        yield {"by": by}

    monkeypatch.setattr(Answers, "rows", slow)
    monkeypatch.setattr(attending, "_SIGN_OF_LIFE_S", 0.05)
    waited: list[float] = []
    with closing(Kiosk(tmp_path, running=True)) as kiosk:
        address = kiosk.state_dir / SOCKET_FILE

        def ask(inquiry: Inquiry) -> list[dict[str, object]]:
            sock = asking.call(address)
            assert sock is not None
            return list(asking.rows(sock, inquiry, waited.append))

        answers: list[list[dict[str, object]]] = []
        first = threading.Thread(target=lambda: answers.append(ask(Inquiry("verify"))))
        first.start()
        assert began.wait(20)
        assert len(ask(Inquiry("status"))) == 1
        with pytest.raises(ContractError, match=r"verify is under way since .*fix: wait"):
            ask(Inquiry("purge"))
        while not waited:
            time.sleep(0.01)
        go_on.set()
        first.join(20)
        assert len(answers[0]) == 1
        assert len(ask(Inquiry("purge"))) == 1


def test_a_caller_that_leaves_frees_the_place_for_the_next_long_question(tmp_path: Path) -> None:
    with closing(Kiosk(tmp_path, running=True)) as kiosk:
        sock = asking.call(kiosk.state_dir / SOCKET_FILE)
        assert sock is not None
        with sock:
            sock.sendall(Inquiry("purge", dry_run=True).to_json() + b"\n")
        for _ in range(100):
            try:
                assert kiosk.asked("verify") == 0
                return
            except ContractError:
                time.sleep(0.05)
        pytest.fail("the place was never free again")


def test_the_status_of_a_stopped_kiosk_says_that_nothing_is_sent(
    kiosk: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kiosk.asked("status") == 0
    assert ("the kiosk is stopped: nothing is sent" in capsys.readouterr().out) is not kiosk.running


def test_the_status_says_what_somebody_must_mend() -> None:
    row: dict[str, object] = {
        "running": True,
        "counts": {"REJECTED": 1, "READY": 2},
        "unsent": 3,
        "due": "alarm",
        "next_due_at": "2026-11-24T03:12:00+08:00",
        "oldest_unsent_s": 5 * 3600.0,
        "line": {
            "open": False, "breaker": True, "why": "TLS: certificate expired", "retry_in_s": 30.0,
            "clock_off_s": -7200.0, "doubts": ["receipts of 2026-11-23: one is missing"],
        },
        "disk": {"level": "staff_only", "usable_mb": 150},
    }  # fmt: skip
    told = "\n".join(status.sentences(row))
    assert "3  not delivered, the oldest for 5.0 h; legal clock: alarm" in told
    assert "OVERDUE: ./run queue export" in told
    assert "held until somebody mends it: TLS: certificate expired, next try in 30 s" in told
    assert "150 MB free, too little room" in told
    assert "2.0 h behind the authority's" in told
    assert "one is missing" in told
    assert "what a person must decide" in told


def test_a_whole_outbox_has_nothing_to_salvage(kiosk: Kiosk, capsys: pytest.CaptureFixture[str]) -> None:
    assert kiosk.asked("salvage", "--json") == 0
    document = told(capsys)
    assert (document["waiting"], document["salvaged"], document["why"]) == (0, [], "")
    assert len(kiosk.audited("queue.salvage")) == 1
    assert kiosk.asked("salvage") == 0
    assert "nothing to salvage" in capsys.readouterr().out


def test_what_a_damaged_database_still_holds_is_brought_back_and_told(
    stopped: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    store = stopped.state_dir / STORE_FILE
    held = store.read_bytes()
    store.write_bytes(b"not a database at all" + held[21:])
    assert stopped.asked("salvage", "--json") == 0
    document = told(capsys)
    (one,) = document["salvaged"]
    assert (one["brought_back"], one["lost"]) == (3, 0)
    assert document["reports"][0]["file"] == one["file"]
    stopped.asked("show", stopped.waiting)
    assert "林*安" in capsys.readouterr().out
    assert stopped.asked("salvage") == 0
    words = capsys.readouterr().out
    assert "nothing is set aside" in words
    assert "3 revisions, 3 brought back" in words
    assert stopped.asked("verify") == 0


def test_of_a_store_that_is_gone_salvage_says_that_nothing_is_left(
    stopped: Kiosk, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in stopped.state_dir.glob("queue.db*"):
        path.unlink()
    assert stopped.asked("salvage") == 0
    words = capsys.readouterr().out
    assert "NOTHING could be read in it" in words
    assert "compare the hotel's list of arrivals" in words


def test_a_kiosk_that_stops_does_not_wait_for_a_long_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(self: Answers, inquiry: Inquiry, by: str) -> Iterator[dict[str, object]]:
        began.set()
        assert go_on.wait(20)
        yield {}

    monkeypatch.setattr(Answers, "rows", slow)
    with closing(Kiosk(tmp_path, running=True)) as kiosk:
        sock = asking.call(kiosk.state_dir / SOCKET_FILE)
        assert sock is not None
        with sock:
            sock.sendall(Inquiry("verify").to_json() + b"\n")
            assert began.wait(20)
            watch = Stopwatch()
            kiosk.server.stop()
            assert watch.seconds() < 3
            assert sock.recv(100) == b""
        go_on.set()
