"""What salvage brings back besides records, from which files, and what it tells staff."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue import legal_hold
from offline_queue.database.verify import verify
from offline_queue.recovery import salvage
from offline_queue.states import EventState
from tests.outbox_kit import event, opened, raw, registration, reject, state
from tests.recovery_kit import MEND_S, Lobby, left, lobby, mended, nothing_is_lost
from tests.unit.test_outbox_migrations import as_v1


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    return lobby(tmp_path_factory.mktemp("shut"), closed=True)


def first_page(folder: Path) -> None:
    path = folder / "queue.db"
    held = path.read_bytes()
    path.write_bytes(held[:100] + bytes(4096 - 100) + held[4096:])


def test_a_damaged_file_of_the_first_schema_is_salvaged(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    as_v1(folder)
    first_page(folder)
    with mended(folder) as owner:
        nothing_is_lost(owner, shut)


def test_a_legal_hold_is_back_before_the_records(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    held = uuid.UUID(shut.puts[1].record_id)
    with opened(folder) as owner:
        owner.call(lambda store: legal_hold.hold(store, held, owner.clock.wall(), by="test", case="A-12/2026"))
        before = owner.call(legal_hold.held)
    first_page(folder)
    with mended(folder) as owner:
        assert owner.call(legal_hold.held) == before
        assert verify(owner).faults == ()


def test_receipts_of_erasure_come_back(tmp_path: Path) -> None:
    made = lobby(tmp_path, closed=True)

    def receipts(owner: object) -> list[tuple[object, ...]]:
        return owner.call(  # type: ignore[attr-defined,no-any-return]
            lambda store: store._conn.execute("SELECT event, statement FROM erasure ORDER BY event").fetchall()
        )

    with opened(made.folder) as owner:
        before = receipts(owner)
    assert before
    first_page(made.folder)
    with mended(made.folder) as owner:
        assert receipts(owner) == before


def test_a_correction_of_what_is_still_being_salvaged_is_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
        reject(owner, put.record_id)
    first_page(tmp_path)
    correction = registration(put.record_id, 2)
    with monkeypatch.context() as held_up:
        held_up.setattr("offline_queue.recovery.mending.Mending.start", lambda self: None)
        with opened(tmp_path) as owner, pytest.raises(OutboxUnavailable, match="try again in a minute"):
            owner.outbox.put(correction, supersedes=1)
    with mended(tmp_path) as owner:
        owner.outbox.put(correction, supersedes=1)
        assert state(owner, put.record_id, 1) is EventState.SUPERSEDED
        assert state(owner, put.record_id, 2) is EventState.READY


def test_staff_are_told_which_record_waits_for_a_lost_revision(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
    (tmp_path / "queue.db").unlink()
    with opened(tmp_path) as owner:
        owner.mending.wait(MEND_S)
        owner.outbox.put(registration(put.record_id, 2))
        owner.set_aside("a test")
        owner.mending.wait(MEND_S)
        waiting = event(owner, put.record_id, 2)
        assert (waiting.state, waiting.why) == (EventState.BLOCKED, "an earlier revision is lost")


def test_a_row_that_was_hit_is_made_again_from_the_chain_and_its_text(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    held = (folder / "queue.db").read_bytes()
    for one in shut.puts:
        hit = uuid.UUID(one.record_id).bytes
        held = held.replace(hit, bytes(16)).replace(one.stay_id.encode(), one.stay_id[:-1].encode() + b"!")
    (folder / "queue.db").write_bytes(held)
    with mended(folder) as owner:
        assert left(owner, shut) == ([], [])
        for one in shut.puts:
            known = event(owner, one.record_id, one.revision)
            if known.state is not EventState.PURGED:
                assert known.stay == one.stay_id
                assert known.due_at == pytest.approx(one.occurred_at.timestamp() + 3600)
        outcome = owner.status().mending.salvaged[0]
        assert outcome.repaired == outcome.events >= len(shut.puts)
        assert verify(owner).faults == ()


def test_the_report_names_nobody(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    first_page(folder)
    with mended(folder):
        pass
    report = next(folder.glob("quarantine/*/report.json")).read_text()
    assert set(json.loads(report)) == {
        *("file", "events", "brought_back", "here_already", "repaired", "sealed", "lost", "foreign"),
        *("missing", "chain_seq", "chain_head"),
    }
    assert not any(one.record_id in report or one.stay_id in report for one in shut.puts)


@pytest.mark.parametrize("copied", [False, True], ids=["alone", "second copy"])
def test_records_of_the_other_suite_come_back_too(tmp_path: Path, *, copied: bool) -> None:
    settings = OutboxSection(suite="gm", second_copy=copied)
    made = lobby(tmp_path, closed=True, settings=settings)
    if copied:
        (made.folder / "queue.db").unlink()
    else:
        first_page(made.folder)
    with mended(made.folder, settings=settings) as owner:
        nothing_is_lost(owner, made)
    rest = b"".join(path.read_bytes() for path in made.folder.glob("quarantine/*/queue.db*"))
    with opened(made.folder, settings=settings) as owner:
        keys = [key.part.wrapped for key in owner.call(lambda store: store.wrapped_after(0, 1000))]
    assert [key for key in keys if any(key) and key in rest] == []


@pytest.mark.parametrize(
    ("change", "state_after"),
    [
        ("UPDATE event SET state = 'READY', receipt = NULL WHERE state = 'DELIVERED'", EventState.DELIVERED),
        ("UPDATE event SET state = 'DELIVERED', receipt = 'R-0' WHERE state = 'READY'", EventState.READY),
        ("UPDATE event SET state = 'INFLIGHT' WHERE state = 'READY'", EventState.READY),
        ("UPDATE event SET state = 'READY' WHERE state = 'PURGED'", EventState.PURGED),
    ],
)
def test_of_row_and_chain_the_one_that_cannot_be_made_up_counts(
    shut: Lobby, tmp_path: Path, change: str, state_after: EventState
) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    db = raw(folder)
    db.execute(change)
    db.close()
    first_page(folder)
    with mended(folder) as owner:
        nothing_is_lost(owner, shut)
        assert state_after in [state(owner, one.record_id, one.revision) for one in shut.puts]


def test_what_is_not_understood_costs_no_other_record_and_is_not_thrown_away(
    shut: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    first_page(folder)
    known = salvage.judge

    def puzzled(carved: object, number: int, *more: object) -> object:
        if number == 5:
            raise KeyError("a guest's name")
        return known(carved, number, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as bug:
        bug.setattr(salvage, "judge", puzzled)
        with opened(folder) as owner:
            owner.mending.wait(1.0)
            lost, _ = left(owner, shut)
            view = owner.status().mending
            assert len(lost) == 1
            assert (view.waiting, "KeyError" in view.why, "guest" in view.why) == (1, True, False)
    with mended(folder) as owner:
        nothing_is_lost(owner, shut)
