"""Tally and hash chain: right after anything that happens, and nothing can be altered without being named."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import ContractError, OutboxDamaged
from offline_queue import retention
from offline_queue.database import chain
from offline_queue.database.verify import verify
from offline_queue.owner import STORE_FILE, OutboxOwner
from offline_queue.settle import Again, Rejected, Settlement
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import HOTEL, claim, deliver, new_id, opened, raw, receipt, registration, reject, settle

ENTRIES = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(list(EventState)), st.integers(0, 2**41), st.text(max_size=9)),
    min_size=2,
    max_size=12,
)


def chained(changes: list[tuple[int, EventState, int, str]]) -> list[chain.Entry]:
    entries: list[chain.Entry] = []
    for event, state, at_ms, detail in changes:
        entries.append(chain.following(entries[-1] if entries else None, event, state, at_ms, detail))
    return entries


@given(ENTRIES)
def test_an_untouched_chain_holds(changes: list[tuple[int, EventState, int, str]]) -> None:
    assert list(chain.broken(chained(changes))) == []


@given(ENTRIES, st.data())
def test_leaving_out_any_entry_but_the_last_breaks_it(
    changes: list[tuple[int, EventState, int, str]], data: st.DataObject
) -> None:
    entries = chained(changes)
    gone = data.draw(st.integers(0, len(entries) - 2))
    assert next(chain.broken(entries[:gone] + entries[gone + 1 :])) == entries[gone + 1].seq


@given(ENTRIES, st.data())
def test_altering_any_field_breaks_it_there(
    changes: list[tuple[int, EventState, int, str]], data: st.DataObject
) -> None:
    entries = chained(changes)
    at = data.draw(st.integers(0, len(entries) - 1))
    old = entries[at]
    altered = data.draw(
        st.sampled_from(
            [
                chain.Entry(old.seq, old.event + 1, old.state, old.at_ms, old.detail, old.hash),
                chain.Entry(old.seq, old.event, old.state + "x", old.at_ms, old.detail, old.hash),
                chain.Entry(old.seq, old.event, old.state, old.at_ms + 1, old.detail, old.hash),
                chain.Entry(old.seq, old.event, old.state, old.at_ms, old.detail + "x", old.hash),
                chain.Entry(old.seq, old.event, old.state, old.at_ms, old.detail, bytes(32)),
            ]
        )
    )
    assert old.seq in chain.broken([*entries[:at], altered, *entries[at + 1 :]])


def busy(owner: OutboxOwner, seed: int) -> None:
    """Put, claim, deliver, reject, correct, try again and purge, as chance has it."""
    chance = random.Random(seed)
    rejected: list[str] = []
    for _ in range(12):
        for _ in range(chance.randrange(3)):
            owner.outbox.put(registration(new_id()))
        if rejected and chance.random() < 0.5:
            record_id = rejected.pop()
            owner.outbox.put(registration(record_id, 2), supersedes=1)
        outcomes: list[Settlement] = [receipt(), Again("timeout"), Again("unreachable", charged=False)]
        for item in claim(owner, limit=5):
            outcome = chance.choice([*outcomes, Rejected("E22 name")] if item.event.revision == 1 else outcomes)
            settle(owner, (item.event, outcome))
            if isinstance(outcome, Rejected):
                rejected.append(str(item.event.record_id))
        if chance.random() < 0.2:
            later = owner.clock.wall() + 40 * 86_400
            owner.call(lambda store, at=later: retention.purge(store, at, 30))


@pytest.mark.parametrize("seed", range(4))
def test_tally_and_chain_hold_whatever_happens(tmp_path: Path, seed: int) -> None:
    with opened(tmp_path) as owner:
        busy(owner, seed)
        report = verify(owner)
        counts = owner.status().counts
        assert report.faults == ()
        assert report.events == sum(counts.values()) > 5
        scanned = Counter(event.state for event in owner.call(lambda store: store.events_after(0, -1)))
        assert counts == dict.fromkeys(EventState, 0) | scanned
    with opened(tmp_path) as owner:
        assert verify(owner) == report


def test_a_transaction_that_fails_leaves_tally_and_chain(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        record_id = owner.outbox.put(registration())
        reject(owner, record_id)
        before = (owner.status().counts, owner.call(lambda store: store.chain_after(0, 99)))
        with pytest.raises(ContractError):  # after the move to SUPERSEDED would have been written
            owner.outbox.put(registration(record_id, 3), supersedes=1)
        assert (owner.status().counts, owner.call(lambda store: store.chain_after(0, 99))) == before
        owner.outbox.put(registration(record_id, 2), supersedes=1)
        assert verify(owner).faults == ()


TAMPERING = {
    "a receipt": "UPDATE event SET receipt = 'R-2' WHERE state = 'DELIVERED'",
    "a state": "UPDATE event SET state = 'DELIVERED', receipt = 'R-9', settled_at = 1 WHERE state = 'REJECTED'",
    "a record's id": "DROP TRIGGER event_body; UPDATE event SET record = zeroblob(16) WHERE state = 'READY'",
    "an entry's detail": "UPDATE chain SET detail = 'E999' WHERE state = 'REJECTED'",
    "an entry's time": "UPDATE chain SET at_ms = at_ms - 60000 WHERE seq = 3",
    "an entry gone": "DELETE FROM chain WHERE seq = 3",
    "an event gone": "DELETE FROM event WHERE state = 'REJECTED'",
    "event and last entry gone": "DELETE FROM event WHERE id = 3; DELETE FROM chain WHERE event = 3",
    "the tally": "UPDATE tally SET n = n + 1 WHERE state = 'READY'",
    "sealed text": "UPDATE payload SET sealed = zeroblob(length(sealed)) WHERE event = 3 AND part = 'text'",
    "a sealed photo": "UPDATE payload SET sealed = zeroblob(length(sealed)) WHERE event = 3 AND part = 'id'",
    "text swapped": "UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE event = 2 AND part = 'text') "
    "WHERE event = 3 AND part = 'text'",
    "a photo's hash": "UPDATE payload SET hash = zeroblob(32) WHERE event = 3 AND part = 'id'",
    "when it is due": "DROP TRIGGER event_body; UPDATE event SET due_at = due_at + 86400 WHERE state = 'READY'",
    "whose stay it is": "DROP TRIGGER event_body; UPDATE event SET stay = 'S-9' WHERE state = 'DELIVERED'",
    "text gone": "DELETE FROM payload WHERE event = 3 AND part = 'text'",
}


def found(folder: Path) -> tuple[str, ...]:
    """What opening the file refuses it for, else what a whole check of it finds."""
    try:
        Store(folder / STORE_FILE, HOTEL, time.time()).close()
    except OutboxDamaged as damaged:
        return (str(damaged),)
    with opened(folder) as owner:
        return verify(owner).faults


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_named(tmp_path: Path, what: str) -> None:
    with opened(tmp_path) as owner:
        first, second, _ = (owner.outbox.put(registration()) for _ in range(3))
        deliver(owner, first)
        reject(owner, second)
        assert verify(owner).faults == ()
    db = raw(tmp_path)
    trigger = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'event_body'").fetchone()[0]
    db.executescript(TAMPERING[what])
    if "DROP" in TAMPERING[what]:
        db.execute(trigger)
    db.close()
    faults = found(tmp_path)
    assert faults
    assert not any(record_id in fault for record_id in (first, second) for fault in faults)


def test_flipped_bits_in_pages_are_named(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        for _ in range(3):
            owner.outbox.put(registration())
    path = tmp_path / "queue.db"
    whole = path.read_bytes()
    db = sqlite3.connect(path)
    sealed = [bytes(row[0]) for row in db.execute("SELECT sealed FROM payload")]
    db.close()
    for blob in sealed:
        at = whole.find(blob[:64]) + 32
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        with opened(tmp_path) as owner:
            assert any("cannot be opened" in fault for fault in verify(owner).faults)
