"""Nothing of a guest is readable where the outbox lies, and a destroyed key leaves no copy behind."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from kiosk.redaction import mask_id_number
from offline_queue import keys, retention
from offline_queue.crypto.sealing import Place, SealedPart, seal, unseal
from offline_queue.crypto.suites import intl
from offline_queue.keys import KioskKey
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Again
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import (
    ADDRESS,
    ID_PHOTO,
    LIVE_PHOTO,
    NAME,
    NUMBER,
    bytes_on_disk,
    claim,
    deliver,
    event,
    opened,
    receipt,
    registration,
    reject,
    settle,
    state,
)

KEY = KioskKey(bytes(range(32)))
PLACE = Place(UUID(int=7), 1, "CI", "text", "3101009999")


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as held:
        yield held


# ---- a part ----------------------------------------------------------------------------------------------------------


def test_a_part_opens_where_it_belongs() -> None:
    assert unseal(seal(b"words", PLACE, KEY), PLACE, KEY) == b"words"


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, record_id=UUID(int=8)),
        replace(PLACE, revision=2),
        replace(PLACE, op="CC"),
        replace(PLACE, part="id"),
        replace(PLACE, hotel="3101009998"),
    ],
)
def test_a_part_opens_nowhere_else(elsewhere: Place) -> None:
    assert unseal(seal(b"words", PLACE, KEY), elsewhere, KEY) is None


def test_another_kiosk_opens_nothing() -> None:
    assert unseal(seal(b"words", PLACE, KEY), PLACE, KioskKey(bytes(32))) is None


@pytest.mark.parametrize("field", ["sealed", "wrapped"])
def test_a_part_with_any_flipped_bit_stays_shut(field: str) -> None:
    part = seal(b"words of a guest", PLACE, KEY)
    whole: bytes = getattr(part, field)
    for at in range(len(whole)):
        broken: SealedPart = replace(part, **{field: whole[:at] + bytes((whole[at] ^ 0x10,)) + whole[at + 1 :]})
        assert unseal(broken, PLACE, KEY) is None
    for length in (0, 5, 12, len(whole) - 1):
        assert unseal(replace(part, **{field: whole[:length]}), PLACE, KEY) is None


def test_a_part_under_another_key_id_stays_shut() -> None:
    assert unseal(replace(seal(b"words", PLACE, KEY), key_id="0" * 16), PLACE, KEY) is None


def test_each_part_has_a_key_of_its_own() -> None:
    parts = [seal(b"words", PLACE, KEY) for _ in range(50)]
    data_keys = {
        KEY.unwrap(part.wrapped, f"1|{PLACE.record_id.hex}|1|text|3101009999|CI|{part.key_id}".encode(), intl)
        for part in parts
    }
    assert None not in data_keys
    assert len(data_keys) == len({part.sealed[:12] for part in parts}) == len({part.key_id for part in parts}) == 50


def test_no_repr_shows_what_is_sealed_or_a_key() -> None:
    part = seal(b"words", PLACE, KEY)
    assert "words" not in repr(part)
    assert repr(part.wrapped) not in repr(part)
    assert KEY.secret.hex() not in repr(KEY)


# ---- on the disk -----------------------------------------------------------------------------------------------------


def traces(folder: Path, *values: str | bytes) -> list[str | bytes]:
    """Return those of the values that can be read in any file of the outbox, in any coding we might have used."""
    lying = bytes_on_disk(folder)
    return [
        value
        for value in values
        if any(
            form in lying
            for form in (
                [value]
                if isinstance(value, bytes)
                else [value.encode(coding) for coding in ("utf-8", "utf-16-le", "gb18030")]
                + [json.dumps(value)[1:-1].encode()]
            )
        )
    ]


def test_no_field_of_a_guest_is_readable_in_any_file(owner: OutboxOwner, tmp_path: Path) -> None:
    put = registration(stay="S-known")
    owner.outbox.put(put)
    body = json.loads(put.text)
    spoken = [value for value in body["guest"].values() if isinstance(value, str) and len(value) > 4]
    assert {path.name for path in tmp_path.iterdir()} >= {"queue.db", "queue.db-wal"}
    assert NUMBER in spoken
    assert traces(tmp_path, NAME, ADDRESS, mask_id_number(NUMBER), *spoken, put.text[:40], body["salt"]) == []
    assert traces(tmp_path, ID_PHOTO[:64], ID_PHOTO[-64:], LIVE_PHOTO[:64]) == []
    assert traces(tmp_path, "S-known") == ["S-known"]  # the search does find what lies open


def test_the_files_are_for_their_owner_alone(owner: OutboxOwner, tmp_path: Path) -> None:
    owner.outbox.put(registration())
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("queue.db", "queue.db-wal", "queue.key", "queue.lock", "queue.head"), 0o600)


def test_what_is_taken_out_is_what_was_put(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    (taken,) = claim(owner)
    assert (taken.text, set(taken.photos)) == (put.text, {ID_PHOTO, LIVE_PHOTO})
    assert NAME not in repr(taken)


# ---- destroying keys -------------------------------------------------------------------------------------------------


def wrapped(owner: OutboxOwner, record_id: str, revision: int = 1) -> dict[str, bytes]:
    number = event(owner, record_id, revision).id

    def work(store: Store) -> dict[str, bytes]:
        rows = store._conn.execute("SELECT part, wrapped FROM data_key WHERE event = ?", (number,)).fetchall()
        return {part: key for part, key in rows if any(key)}

    return owner.call(work)


def test_the_receipt_destroys_the_photos_keys_and_keeps_the_text(owner: OutboxOwner, tmp_path: Path) -> None:
    put = registration()
    owner.outbox.put(put)
    before = wrapped(owner, put.record_id)
    assert before.keys() == {"text", "id", "live"}
    deliver(owner, put.record_id)
    assert wrapped(owner, put.record_id).keys() == {"text"}
    assert [part.part for part in owner.call(lambda s: s.parts(s.find(UUID(put.record_id), 1)))] == ["text"]
    assert owner.outbox.open_text(put.record_id, 1) == put.text
    owner.call(Store.truncate_log)
    assert traces(tmp_path, before["id"], before["live"], before["text"]) == [before["text"]]


def test_receipt_and_destruction_are_one_transaction(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    (taken,) = claim(owner)

    def no_deletes(store: Store) -> None:
        store._conn.execute(
            "CREATE TEMP TRIGGER stuck BEFORE DELETE ON payload BEGIN SELECT RAISE(ABORT, 'stuck'); END"
        )

    owner.call(no_deletes)
    with pytest.raises(OutboxUnavailable, match="stuck"):
        settle(owner, (taken.event, receipt()))
    assert state(owner, put.record_id) is EventState.INFLIGHT
    assert wrapped(owner, put.record_id).keys() == {"text", "id", "live"}
    assert owner.call(lambda s: s._conn.execute("PRAGMA secure_delete").fetchone()) == (1,)


def test_a_purge_destroys_the_texts_key_then_empties_the_log(owner: OutboxOwner, tmp_path: Path) -> None:
    put, fresh = registration(), registration()
    owner.outbox.put(put)
    before = wrapped(owner, put.record_id)
    deliver(owner, put.record_id, wall=owner.clock.wall() - 31 * 86_400)
    owner.outbox.put(fresh)
    deliver(owner, fresh.record_id)
    look = owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30, dry_run=True))
    done = owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
    assert (look.records, done.records, done.log_emptied, done.more) == (1, 1, True, False)
    assert (state(owner, put.record_id), state(owner, fresh.record_id)) == (EventState.PURGED, EventState.DELIVERED)
    assert owner.outbox.open_text(put.record_id, 1) is None
    assert owner.outbox.open_text(fresh.record_id, 1) == fresh.text
    assert (tmp_path / "queue.db-wal").stat().st_size == 0
    assert traces(tmp_path, *before.values()) == []
    kept = event(owner, put.record_id)
    assert (kept.receipt, kept.content_hash) == ("R-1", event(owner, put.record_id).content_hash)


def test_nothing_undelivered_is_ever_purged(owner: OutboxOwner) -> None:
    waiting, refused = registration(), registration()
    for put in (waiting, refused):
        owner.outbox.put(put)
    reject(owner, refused.record_id)
    assert owner.call(lambda store: retention.purge(store, owner.clock.wall() + 1e9, 30)).records == 0
    assert owner.outbox.open_text(waiting.record_id, 1) == waiting.text
    assert owner.outbox.open_text(refused.record_id, 1) == refused.text


def test_what_a_correction_replaced_is_destroyed_with_it(owner: OutboxOwner, tmp_path: Path) -> None:
    put = registration()
    owner.outbox.put(put)
    before = wrapped(owner, put.record_id)
    reject(owner, put.record_id)
    owner.outbox.put(registration(put.record_id, 2), supersedes=1)
    assert wrapped(owner, put.record_id).keys() == before.keys()
    deliver(owner, put.record_id, 2, wall=owner.clock.wall() - 31 * 86_400)
    assert wrapped(owner, put.record_id).keys() == {"text"}
    owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
    assert wrapped(owner, put.record_id) == wrapped(owner, put.record_id, 2) == {}
    assert traces(tmp_path, *before.values()) == []


@pytest.fixture(params=["intl", "gm"])
def of_each_suite(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OutboxOwner]:
    with opened(tmp_path, settings=OutboxSection(suite=request.param)) as held:
        yield held


def test_no_copy_of_a_destroyed_key_survives_in_free_space(of_each_suite: OutboxOwner, tmp_path: Path) -> None:
    owner = of_each_suite
    chance = random.Random(7)
    seen: dict[str, dict[str, bytes]] = {}
    for _ in range(12):
        for _ in range(20):
            put = registration()
            owner.outbox.put(put)
            seen[put.record_id] = wrapped(owner, put.record_id)
        outcomes = [
            (item.event, receipt() if chance.random() < 0.5 else Again("", charged=False)) for item in claim(owner)
        ]
        settle(owner, *outcomes, wall=owner.clock.wall() - chance.choice([1, 40]) * 86_400)
        owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
    owner.call(Store.truncate_log)
    alive = {key for record_id in seen for key in wrapped(owner, record_id).values()}
    dead = [key for parts in seen.values() for key in parts.values() if key not in alive]
    assert len(dead) > 300
    assert len(alive) > 50
    assert traces(tmp_path, *dead) == []


# ---- the key file ----------------------------------------------------------------------------------------------------


def test_a_key_is_on_the_disk_before_anything_is_wrapped_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = spied(tmp_path, monkeypatch)
    keys.make(tmp_path / "queue.key")
    assert synced == [("queue.key.new", ["queue.key.new"]), (tmp_path.name, ["queue.key"])]


def test_an_old_key_is_overwritten_on_the_disk_before_the_new_one_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "queue.key"
    old = keys.make(key)
    keys.make(keys.successor_of(key))
    synced = spied(tmp_path, monkeypatch)
    keys.destroy(key)
    assert old.secret.hex() not in key.read_text()
    keys.take_over(key)
    assert synced == [("queue.key", ["queue.key", "queue.key.next"]), (tmp_path.name, ["queue.key"])]


def spied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Note what is synced, and which names the folder held at that moment."""
    seen: list[tuple[str, list[str]]] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        real(fd)
        seen.append((Path(f"/proc/self/fd/{fd}").readlink().name, sorted(path.name for path in folder.iterdir())))

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / "queue.key").chmod(0o640)
    with pytest.raises(OutboxUnavailable, match=r"mode 0640.*chmod 600"), opened(tmp_path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_key_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    os.chown(tmp_path / "queue.key", 65534, -1)
    with pytest.raises(OutboxUnavailable, match=r"another user's.*fix: .*chown"), opened(tmp_path):
        pass


@pytest.mark.timeout(30)
def test_a_pipe_in_the_place_of_the_key_does_not_hold_the_start(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / "queue.key").unlink()
    os.mkfifo(tmp_path / "queue.key", 0o600)
    with pytest.raises(OutboxUnavailable, match="no file"), opened(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "hello", "suizhu-kiosk-key-1 zz", "suizhu-kiosk-key-1 " + "ab" * 31])
def test_a_file_that_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "queue.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(OutboxUnavailable, match=r"queue\.key") as refused:
        keys.load(path)
    assert "ab" * 31 not in str(refused.value)


def test_a_lost_key_is_never_replaced_beside_an_outbox(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    (tmp_path / "queue.key").rename(tmp_path / "elsewhere.key")
    with pytest.raises(OutboxUnavailable, match="bring the file back"), opened(tmp_path):
        pass
    assert not (tmp_path / "queue.key").exists()


def test_another_key_opens_nothing_and_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
    right = (tmp_path / "queue.key").read_bytes()
    (tmp_path / "queue.key").unlink()
    keys.make(tmp_path / "queue.key")
    with pytest.raises(OutboxUnavailable, match="not the key"), opened(tmp_path):
        pass
    (tmp_path / "queue.key").write_bytes(right)
    with opened(tmp_path) as owner:
        assert state(owner, put.record_id) is EventState.READY
        assert len(claim(owner)) == 1


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = keys.make(tmp_path / "queue.key")
    with pytest.raises(OutboxUnavailable):
        keys.make(tmp_path / "queue.key")
    assert keys.load(tmp_path / "queue.key") == made
    assert (tmp_path / "queue.key").stat().st_mode & 0o777 == 0o600


def test_no_link_is_followed_to_a_key(tmp_path: Path) -> None:
    keys.make(tmp_path / "real.key")
    (tmp_path / "queue.key").symlink_to(tmp_path / "real.key")
    with pytest.raises(OutboxUnavailable, match=r"queue\.key"):
        keys.load(tmp_path / "queue.key")
