"""What an acknowledgement of the outbox is worth: it comes after the commit, once, and outlives the process."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from kiosk.errors import ContractError, OutboxUnavailable
from kiosk.model import Photo, Registration
from offline_queue.database.verify import verify
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from tests.outbox_kit import ID_PHOTO, changed, event, opened, registration, state

ROOT = Path(__file__).parents[2]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as held:
        yield held


def test_an_acknowledged_record_is_in_the_files_as_a_power_cut_would_leave_them(
    owner: OutboxOwner, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    put = registration()
    owner.outbox.put(put)
    cut = tmp_path_factory.mktemp("cut")
    for path in tmp_path.glob("queue.*"):
        shutil.copy(path, cut)
    with opened(cut) as later:
        assert later.outbox.open_text(put.record_id, 1) == put.text


def test_each_commit_waits_for_the_disk(owner: OutboxOwner) -> None:
    def settings(name: str) -> object:
        return owner.call(lambda store: store._conn.execute(f"PRAGMA {name}").fetchone()[0])

    assert (settings("journal_mode"), settings("synchronous"), settings("locking_mode")) == ("wal", 2, "exclusive")


def test_the_wake_comes_after_the_commit(owner: OutboxOwner) -> None:
    put = registration()
    seen: list[EventState] = []
    owner.outbox.on_put = lambda: seen.append(state(owner, put.record_id))
    owner.outbox.put(put)
    assert seen == [EventState.READY]


def test_the_same_record_again_is_acknowledged_and_stored_once(owner: OutboxOwner) -> None:
    put = registration()
    assert owner.outbox.put(put) == owner.outbox.put(put) == put.record_id
    assert owner.status().unsent == 1


def test_other_content_under_the_same_revision_is_refused(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    with pytest.raises(ContractError, match="other content") as refused:
        owner.outbox.put(changed(put, name="沈其真"))
    assert "沈其真" not in str(refused.value)
    assert owner.outbox.open_text(put.record_id, 1) == put.text


def test_what_is_owed_when(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    assert event(owner, put.record_id).due_at == pytest.approx(put.occurred_at.timestamp() + 3600)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (replace(registration(), text=b"\xff\xfe"), "JSON"),
        (replace(registration(), text=b"[1]"), "JSON"),
        (replace(registration(), text=b'{"photos": [1]}'), "JSON"),
        (replace(registration(), text=registration().text), "recordId"),
        (replace(registration(), revision=2), "revision"),
        (replace(registration(), op="CC"), "op"),
        (replace(registration(), record_id="no-uuid"), "UUID"),
        (replace(registration(), occurred_at=datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001
        (replace(registration(), photos=(Photo("id", b"another"),)), "photo"),
        (replace(registration(), photos=(Photo("id", ID_PHOTO), Photo("id", ID_PHOTO))), "photo"),
        (replace(registration(), photos=(Photo("text", ID_PHOTO),)), "photo"),
    ],
)
def test_a_record_that_could_never_be_receipted_is_refused(owner: OutboxOwner, broken: Registration, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        owner.outbox.put(broken)
    assert owner.status().unsent == 0


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(owner: OutboxOwner) -> None:
    first = registration()
    owner.outbox.put(first)

    def pages(limit: str) -> int:
        return owner.call(lambda store: int(store._conn.execute(f"PRAGMA {limit}").fetchone()[0]))

    pages(f"max_page_count = {pages('page_count') + 1}")
    second = registration()
    with pytest.raises(OutboxUnavailable, match=r"nothing was acknowledged.*free space") as full:
        owner.outbox.put(second)
    assert second.stay_id not in str(full.value)
    assert owner.status().unsent == 1
    pages("max_page_count = 1000000")
    owner.outbox.put(second)
    assert verify(owner).faults == ()
    assert {state(owner, put.record_id) for put in (first, second)} == {EventState.READY}


def test_a_record_survives_closing_and_opening(tmp_path: Path) -> None:
    puts = [registration() for _ in range(3)]
    with opened(tmp_path) as owner:
        for put in puts:
            owner.outbox.put(put)
    with opened(tmp_path) as owner:
        assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]
        assert verify(owner).faults == ()


def test_a_closed_outbox_acknowledges_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        pass
    with pytest.raises(OutboxUnavailable, match="closed"):
        owner.outbox.put(registration())
    owner.close()


def test_text_of_a_record_nobody_put_is_none(owner: OutboxOwner) -> None:
    assert owner.outbox.open_text(registration().record_id, 1) is None


def killed(folder: Path, after_s: float) -> list[str]:
    """Let a child put as fast as it can, kill it, return what it had acknowledged."""
    command = [sys.executable, "-P", "-m", "tests.outbox_child", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        lines = [first, *child.stdout.readlines()]
    assert child.returncode == -signal.SIGKILL
    return [line.strip() for line in lines if line.endswith("\n")]


@pytest.mark.timeout(60)
def test_kill_9_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    moments = random.Random(20250715)
    acknowledged: list[str] = []
    for _ in range(4):
        acknowledged += killed(tmp_path, moments.uniform(0.0, 0.25))
    with opened(tmp_path) as owner:
        assert len(acknowledged) == len(set(acknowledged)) > 4
        assert all(owner.outbox.open_text(record_id, 1) for record_id in acknowledged)
        assert verify(owner).faults == ()


def test_a_start_that_was_cut_off_can_be_started_again(tmp_path: Path) -> None:
    (tmp_path / "queue.key.new").write_bytes(b"suizhu-kio")  # while the key was written
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    (tmp_path / "queue.db").unlink()
    (tmp_path / "queue.db").touch()  # before the first page
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
        assert owner.status().unsent == 1
