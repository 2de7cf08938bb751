"""The store asks no more of a connection than it says: the chaos runs put it on another binding, over a file system
that loses writes. And what an error of SQLite means is told by its code, not by its words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue.database import connection
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import HOTEL, new_event


class BareCursor:
    """What the protocol names of a cursor, and nothing else."""

    def __init__(self, rows: list[Any], changed: int) -> None:
        self._rows = rows
        self.rowcount = changed

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows


class BareConnection:
    """What the protocol names of a connection, and nothing else; like apsw's it is no ``sqlite3.Connection``."""

    def __init__(self, path: Path) -> None:
        self._real = sqlite3.connect(path, isolation_level=None, timeout=0)
        self.fails_with: sqlite3.Error | None = None
        self.closed = False

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> BareCursor:
        if self.fails_with is not None and not sql.startswith("ROLLBACK"):
            raise self.fails_with
        cursor = self._real.execute(sql, parameters)
        return BareCursor(cursor.fetchall(), cursor.rowcount)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> BareCursor:
        return BareCursor([], self._real.executemany(sql, parameters).rowcount)

    def close(self) -> None:
        self.closed = True
        self._real.close()


@pytest.fixture
def bare() -> list[BareConnection]:
    return []


@pytest.fixture
def store(tmp_path: Path, bare: list[BareConnection]) -> Store:
    def connect(path: Path) -> BareConnection:
        bare.append(BareConnection(path))
        return bare[-1]

    return Store(tmp_path / "queue.db", HOTEL, time.time(), connect=connect)


def error(code: int, text: str = "what SQLite says") -> sqlite3.Error:
    made = sqlite3.OperationalError(text)
    made.sqlite_errorcode = code  # type: ignore[misc]
    return made


def test_a_records_whole_life_needs_no_more_than_the_protocol(store: Store, bare: list[BareConnection]) -> None:
    new = new_event()
    with store.transaction():
        store.insert(new)
        store.set_fact("a fact", "of two words")
    (event,) = store.ready(time.time() + 1, 300, 5)
    assert [part.sealed for part in store.parts(event)] == [b"sealed words"]
    for state in (EventState.INFLIGHT, EventState.DELIVERED, EventState.PURGED):
        with store.transaction():
            store.move(event, state, time.time(), settled_at=time.time())
            if state is EventState.PURGED:
                store.destroy_keys(event, text=True)
        event = store.latest(1)[0]
    assert store.truncate_log()
    assert (store.counts()[EventState.PURGED], store.parts(event), store.damage()) == (1, [], [])
    assert store.fact("a fact") == "of two words"
    store.close()
    assert bare[0].closed


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CORRUPT_INDEX, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_READ],
)
def test_a_broken_file_is_damage_in_a_read_and_in_a_write(store: Store, bare: list[BareConnection], code: int) -> None:
    bare[0].fails_with = error(code)
    with pytest.raises(OutboxDamaged, match=r"what SQLite says.*set aside"):
        store.counts()
    with pytest.raises(OutboxDamaged), store.transaction():
        store.insert(new_event())


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_BUSY])
def test_a_disk_that_refuses_is_none(store: Store, bare: list[BareConnection], code: int) -> None:
    bare[0].fails_with = error(code)
    with pytest.raises(OutboxUnavailable, match="nothing was acknowledged") as refused:
        store.counts()
    assert not isinstance(refused.value, OutboxDamaged)


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        (sqlite3.SQLITE_BUSY, "stop that program"),
        (sqlite3.SQLITE_READONLY, "own user write"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "own user write"),
        (sqlite3.SQLITE_FULL, "free space"),
    ],
)
def test_a_refusal_says_what_to_do_about_it(store: Store, bare: list[BareConnection], code: int, fix: str) -> None:
    bare[0].fails_with = error(code)
    with pytest.raises(OutboxUnavailable, match=fix):
        store.counts()


def test_a_commit_that_fails_leaves_the_chain_where_it_was(store: Store, bare: list[BareConnection]) -> None:
    before = store.head

    def cut_off() -> None:
        with store.transaction():
            store.insert(new_event())
            bare[0].fails_with = error(sqlite3.SQLITE_IOERR_FSYNC)

    with pytest.raises(OutboxUnavailable):
        cut_off()
    bare[0].fails_with = None
    assert store.head == before
    assert not bare[0].in_transaction
    with store.transaction():
        store.insert(new_event())
    assert [event.id for event in store.latest(9)] == [1]
    store.close()


def test_a_store_that_cannot_be_opened_leaves_no_connection_open(tmp_path: Path) -> None:
    Store(tmp_path / "queue.db", HOTEL, time.time()).close()
    made: list[BareConnection] = []

    def connect(path: Path) -> BareConnection:
        made.append(BareConnection(path))
        return made[-1]

    with pytest.raises(OutboxUnavailable, match="belongs to hotel"):
        Store(tmp_path / "queue.db", "3101000001", time.time(), connect=connect)
    assert made[0].closed


def test_the_products_own_connection_is_the_standard_librarys(tmp_path: Path) -> None:
    conn = connection.connect(tmp_path / "x.db")
    assert isinstance(conn, sqlite3.Connection)
    assert conn.isolation_level is None
    conn.close()
