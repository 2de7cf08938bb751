"""A record that is mended long after its salvage leaves no copy of its neighbours' keys in the pages of the store."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import asdict, replace
from pathlib import Path

from offline_queue.database.rows import COLUMNS, Event, NewEvent
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import HOTEL, new_event

WRAPPED_BYTES = 60


def row_of(event: Event) -> dict[str, object]:
    columns = asdict(event) | {"record": event.record_id.bytes}
    return {name: columns[name] for name in COLUMNS.split(", ")}


def salvaged(store: Store, new: NewEvent) -> Event:
    """Bring an event over whose text does not open: its key is lost."""
    lost = [replace(part, wrapped=b"") for part in new.parts]
    stub = Event(
        *(0, new.record_id, 1, new.op, new.stay, EventState.QUARANTINED, None, 0, 0, 0, new.wall, new.due_at, new.wall),
        *(new.content_hash, None, None, None, None, None, None, None, new.boot, new.mono, new.given_hash, None),
    )
    return store.restore(row_of(stub), lost, time.time())


def test_no_key_of_a_neighbour_outlives_its_destruction(tmp_path: Path) -> None:
    chance, path = random.Random(4), tmp_path / "queue.db"
    store = Store(path, HOTEL, time.time())
    keys: dict[int, bytes] = {}
    lost: list[tuple[Event, NewEvent]] = []
    with store.transaction():
        for number in range(400):
            new = new_event()
            if number % 4 == 0:
                lost.append((salvaged(store, new), new))
            else:
                store.insert(new)
                keys[store.latest(1)[0].id] = new.parts[0].wrapped
    chance.shuffle(lost)
    for event, new in lost:
        with store.transaction():
            store.mend(event, row_of(replace(event, state=EventState.READY)), new.parts, time.time())
        keys[event.id] = new.parts[0].wrapped
    mended = store.parts(lost[0][0])
    assert [(part.wrapped, part.sealed) for part in mended] == [(p.wrapped, p.sealed) for p in lost[0][1].parts]
    assert store._conn.execute("SELECT count(*), max(rowid) FROM data_key").fetchone() == (400, 400)  # none was moved
    dead = chance.sample(sorted(keys), 200)
    for number in dead:
        with store.transaction():
            store.destroy_keys(store.latest(400)[-number], text=True)
    store.truncate_log()
    lying = path.read_bytes()
    assert [number for number in dead if keys[number] in lying] == []
    assert all(keys[number] in lying for number in set(keys) - set(dead))
    store.close()


def test_a_part_that_the_store_had_lost_gets_its_key_when_it_is_mended(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    new = new_event()
    photo = replace(new.parts[0], part="id", wrapped=secrets.token_bytes(WRAPPED_BYTES))
    with store.transaction():
        event = salvaged(store, new)
        store.mend(event, row_of(replace(event, state=EventState.READY)), [*new.parts, photo], time.time())
    assert {part.part: part.wrapped for part in store.parts(event)} == {
        "text": new.parts[0].wrapped,
        "id": photo.wrapped,
    }
    assert store.latest(1)[0].state is EventState.READY
    store.close()
