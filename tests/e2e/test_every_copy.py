"""An outbox with every copy there can be: backup, second copy, quarantine, logs. None names a guest or keeps a key."""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import log as logs
from kiosk.config import OutboxSection
from kiosk.model import Registration
from offline_queue import erasure, retention
from offline_queue.owner import STORE_FILE, OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests import traces
from tests.outbox_kit import deliver, opened, registration, reject
from tests.unit.test_outbox_migrations import as_v1

pytestmark = pytest.mark.timeout(180)

MEND_S = 60.0
MONTH_S = 31 * 86_400
KEYS_MAY_LIE_IN = {"queue.db", "queue.db-wal", "queue.keyring"}
GUESTS = (
    ("欧阳见素", "310199197801010057", "虚构市青梧桐路9811号", "1702"),
    ("Ármannsdóttir", "310199198201010034", "虚构市白玉兰街3377号", "0911"),
    ("买买提·艾力", "310199196501010018", "虚构市紫藤巷6529号", "0504"),
    ("司马闻笛", "310199199001010026", "虚构市银杏里4408号", "1318"),
)


class Site:
    """The folders of one kiosk, and what lay in them: records, and wrapped data keys as they were before erasure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state, self.copy = folder / "state", folder / "other disk"
        self.settings = OutboxSection(second_copy=True, second_copy_dir=self.copy, ballast_mb=1)
        self.puts: list[Registration] = []
        self.keys: set[bytes] = set()

    def put(self, owner: OutboxOwner, guest: int, record_id: str | None = None, revision: int = 1) -> Registration:
        name, number, address, room = GUESTS[guest]
        one = registration(record_id, revision, number=number, name=name, address=address, roomNo=room)
        owner.outbox.put(one, supersedes=revision - 1 if revision > 1 else None)
        self.puts.append(one)
        self.remember_keys(owner)
        return one

    def remember_keys(self, owner: OutboxOwner) -> None:
        rows = owner.call(lambda store: store._conn.execute("SELECT wrapped FROM data_key").fetchall())
        self.keys |= {row[0] for row in rows if any(row[0])}

    def traces(self) -> list[traces.Trace]:
        """Look for every guest in every file but the outbox's own key."""
        return [found for one in self.puts for found in traces.search(traces.of(one), [self.folder])]

    def keys_left(self) -> set[str]:
        """Names of the files in which a data key can still be found, wrapped as it was."""
        files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        return {path.name for path, held in files.items() for key in self.keys if key in held}

    def files(self) -> list[str]:
        return [str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path / "disk")
    made.state.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "disk"))
    hooks = sys.excepthook, threading.excepthook
    logs.configure(made.state, quiet=True)
    sys.excepthook, threading.excepthook = hooks
    yield made
    logs.unconfigure()


def damage(store: Path) -> None:
    """Flip bits where records lie, so that SQLite opens the file and the outbox must set it aside."""
    db = sqlite3.connect(store)
    page = db.execute("PRAGMA page_size").fetchone()[0]
    root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chain'").fetchone()[0]
    db.close()
    chance = random.Random(3)
    with store.open("r+b") as file:
        for _ in range(40):
            at = (root - 1) * page + chance.randrange(page // 2, page)
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes((byte[0] ^ 0x20,)))


def test_no_copy_names_a_guest_and_erasure_reaches_every_one(site: Site) -> None:
    old = _the_first_version(site)
    assert site.traces() == []
    with opened(site.state, settings=site.settings) as owner:  # migrated: a backup is written
        owner.mending.wait(MEND_S)
        refused = site.put(owner, 1)
        reject(owner, refused.record_id)
        site.put(owner, 1, refused.record_id, 2)
        gone = site.put(owner, 2)
        deliver(owner, gone.record_id)
        assert site.traces() == []
        waiting = site.put(owner, 3)
    assert any(name.endswith(".backup") for name in site.files())
    assert any(name.startswith("other disk/") for name in site.files())
    damage(site.state / STORE_FILE)
    with opened(site.state, settings=site.settings) as owner:  # set aside, salvaged
        view = owner.mending.wait(MEND_S)
        assert view.salvaged, "the damage was not noticed"
        assert any(name.startswith("state/quarantine/") for name in site.files())
        site.remember_keys(owner)
        assert site.keys_left() <= KEYS_MAY_LIE_IN, "a key lies in backup, quarantine or second copy"
        assert site.traces() == []
        assert owner.outbox.open_text(waiting.record_id, 1) == waiting.text
        for one, revision in ((old, 1), (refused, 2), (waiting, 1)):
            deliver(owner, one.record_id, revision)
        retention.purge_all(owner, 30, now=lambda: time.time() + MONTH_S)
        counts = owner.call(Store.counts)
        assert (counts[EventState.PURGED], counts[EventState.SUPERSEDED]) == (4, 1)
        assert site.keys_left() == set()
        assert site.traces() == []
        report = erasure.report(owner)
        assert sum(texts for _, texts, _ in report.days) == 4
    assert len(site.keys) >= 10
    assert site.keys_left() == set()
    assert site.traces() == []
    assert (site.state / "log" / "kiosk.log").stat().st_size > 0


def _the_first_version(site: Site) -> Registration:
    """Leave what the first version of the outbox left, with one record that waits."""
    with opened(site.state) as owner:
        one = site.put(owner, 0)
    as_v1(site.state)
    (site.state / "queue.head").unlink(missing_ok=True)  # the first version had no witness
    return one


def test_the_control_a_key_that_was_not_destroyed_is_found(site: Site) -> None:
    with opened(site.state, settings=site.settings) as owner:
        site.put(owner, 0)
        owner.mending.wait(MEND_S)
        assert site.keys_left() >= {"queue.keyring"}
        (site.copy / "left over").write_bytes(next(iter(site.keys)))
        assert "left over" in site.keys_left()
