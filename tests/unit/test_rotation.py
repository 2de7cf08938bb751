"""The kiosk's key is changed under a running outbox: nothing is lost, and nothing of the old key remains."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.errors import OutboxUnavailable
from kiosk.model import Registration
from offline_queue import keys, retention
from offline_queue.crypto import rotation
from offline_queue.crypto.vault import Vault
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import bytes_on_disk, claim, deliver, opened, registration, state

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as held:
        yield held


def recipients(owner: OutboxOwner) -> set[str]:
    rows = owner.call(lambda store: store._conn.execute("SELECT DISTINCT recipient FROM data_key").fetchall())
    return {name for (name,) in rows}


def wrapped(owner: OutboxOwner) -> list[bytes]:
    return [key.part.wrapped for key in owner.call(lambda store: store.wrapped_after(0, 10_000))]


def test_every_record_opens_after_the_change_and_after_the_next_start(tmp_path: Path) -> None:
    puts = [registration() for _ in range(5)]
    with opened(tmp_path) as owner:
        for put in puts:
            owner.outbox.put(put)
        old = owner.vault.key
        done = rotation.rotate(owner)
        assert (done.rewrapped, done.unopened, done.resumed) == (15, 0, False)
        assert owner.vault.key != old
        assert recipients(owner) == {owner.vault.key.recipient}
        assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]
    with opened(tmp_path) as owner:
        assert {item.text for item in claim(owner)} == {put.text for put in puts}


def test_nothing_of_the_old_key_or_of_what_it_wrapped_is_left_on_the_disk(owner: OutboxOwner, tmp_path: Path) -> None:
    for _ in range(60):
        owner.outbox.put(registration())
    old_file, old, before = (tmp_path / "queue.key").read_bytes(), owner.vault.key, wrapped(owner)
    rotation.rotate(owner)
    everything = bytes_on_disk(tmp_path) + (tmp_path / "queue.key").read_bytes()
    assert [key for key in before if key in everything] == []
    assert old.secret.hex().encode() not in everything
    assert old_file not in everything
    assert [path.name for path in tmp_path.glob("queue.key*")] == ["queue.key"]
    assert len(before) == 180


def test_the_sealed_bytes_and_the_records_bytes_stay_as_they_are(owner: OutboxOwner) -> None:
    owner.outbox.put(registration())

    def sealed(store: Store) -> list[object]:
        rows = store._conn.execute("SELECT event, part, sealed FROM payload ORDER BY event, part").fetchall()
        return [*rows, *store._conn.execute("SELECT content_hash, given_hash, row_hash FROM event").fetchall()]

    before = owner.call(sealed)
    rotation.rotate(owner)
    assert owner.call(sealed) == before


def test_what_was_erased_stays_erased(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    deliver(owner, put.record_id, wall=owner.clock.wall() - 31 * 86_400)
    owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
    assert not any(map(any, wrapped(owner)))
    done = rotation.rotate(owner)
    assert (done.rewrapped, done.unopened) == (0, 0)
    assert not any(map(any, wrapped(owner)))
    assert recipients(owner) == {owner.vault.key.recipient}


def test_a_data_key_that_was_damaged_before_holds_nothing_up(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        broken, whole = registration(photos=False), registration(photos=False)
        for put in (whole, broken):
            owner.outbox.put(put)
        spoil = "UPDATE data_key SET wrapped = CAST(x'00ff' || substr(wrapped, 3) AS BLOB) WHERE event = 2"
        owner.call(lambda store: store._conn.execute(spoil))
        done = rotation.rotate(owner)
        assert (done.rewrapped, done.unopened) == (1, 1)
    with opened(tmp_path) as owner:
        assert [item.text for item in claim(owner)] == [whole.text]
        assert state(owner, broken.record_id) is EventState.QUARANTINED


def test_guests_check_in_while_the_key_is_changed(owner: OutboxOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "SLICE", 5)
    for _ in range(40):
        owner.outbox.put(registration())
    stop, puts = threading.Event(), []

    def guests() -> None:
        while not stop.is_set():
            put = registration()
            owner.outbox.put(put)
            puts.append(put)

    thread = threading.Thread(target=guests)
    thread.start()
    try:
        for _ in range(4):
            rotation.rotate(owner)
    finally:
        stop.set()
        thread.join()
    assert len(puts) > 3
    assert recipients(owner) == {owner.vault.key.recipient}
    assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]


def test_a_put_that_began_before_the_change_and_comes_in_after_it_opens(owner: OutboxOwner) -> None:
    put, vault = registration(), owner.vault
    freeze = type(vault).frozen

    def slow(self: Vault, given: Registration) -> Registration:
        rotation.rotate(owner)
        return freeze(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(vault), "frozen", slow)
        owner.outbox.put(put)
    assert owner.outbox.open_text(put.record_id, 1) == put.text
    assert recipients(owner) == {vault.key.recipient}


def test_a_key_that_cannot_be_made_changes_nothing(owner: OutboxOwner, tmp_path: Path) -> None:
    put = registration()
    owner.outbox.put(put)
    keys.successor_of(tmp_path / "queue.key").write_text("in the way")
    with pytest.raises(OutboxUnavailable, match="cannot be made"):
        rotation.rotate(owner)
    assert owner.outbox.open_text(put.record_id, 1) == put.text


# ---- cut off ---------------------------------------------------------------------------------------------------------


class _CutOff(BaseException):
    """Stands for the power cut: nothing of the product catches it."""


@pytest.mark.parametrize("step", ["rewrap", "truncate_log", "destroy", "destroyed", "take_over"])
def test_a_change_that_is_cut_off_goes_on_at_the_next_start(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts = [registration() for _ in range(6)]
    with opened(tmp_path) as owner:
        for put in puts:
            owner.outbox.put(put)
        with pytest.MonkeyPatch.context() as patch:
            _cut(patch, step)
            with pytest.raises(_CutOff):
                rotation.rotate(owner)
        late = registration()
        owner.outbox.put(late)
    with opened(tmp_path) as owner:
        assert [owner.outbox.open_text(put.record_id, 1) for put in (*puts, late)] == [
            put.text for put in (*puts, late)
        ]
        rotation.resume(owner)
        owner.call(lambda _: None)
        if owner.vault.keys.old:
            assert rotation.rotate(owner).resumed
        assert recipients(owner) == {owner.vault.key.recipient}
        assert len(claim(owner)) == 7
    assert [path.name for path in tmp_path.glob("queue.key*")] == ["queue.key"]


def test_a_second_name_that_a_power_cut_left_of_a_key_goes_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    (tmp_path / "queue.key.new").hardlink_to(tmp_path / "queue.key")
    with opened(tmp_path) as owner:
        assert len(claim(owner)) == 1
    assert [path.name for path in tmp_path.glob("queue.key*")] == ["queue.key"]


def _cut(patch: pytest.MonkeyPatch, step: str) -> None:
    """End the change before a step, or after the one that destroys the key."""
    patch.setattr(rotation, "SLICE", 7)

    def end(*_: object) -> None:
        raise _CutOff

    def destroyed(path: Path) -> None:
        real(path)
        end()

    real = keys.destroy
    if step == "rewrap":
        slices = iter(range(2))
        whole = Store.rewrap
        patch.setattr(Store, "rewrap", lambda store, given: whole(store, given) if next(slices, 2) < 1 else end())
    elif step == "truncate_log":
        patch.setattr(Store, "truncate_log", end)
    elif step == "destroyed":
        patch.setattr(keys, "destroy", destroyed)
    else:
        patch.setattr(keys, step, end)


def _change_for_ever(folder: Path) -> None:
    with opened(folder) as owner:
        while True:
            rotation.rotate(owner)


@pytest.mark.parametrize("seed", range(6))
def test_kill_9_at_any_moment_of_a_change_loses_nothing(tmp_path: Path, seed: int) -> None:
    puts = [registration() for _ in range(20)]
    with opened(tmp_path) as owner:
        for put in puts:
            owner.outbox.put(put)
    child = multiprocessing.get_context("spawn").Process(target=_change_for_ever, args=(tmp_path,))
    child.start()
    first = (tmp_path / "queue.key").read_bytes()
    while (tmp_path / "queue.key").read_bytes() == first and child.is_alive():
        os.sched_yield()
        child.join(0.005)
    child.join(0.003 * seed)
    child.kill()
    child.join()
    child.close()
    with opened(tmp_path) as owner:
        assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]
        rotation.rotate(owner)
        assert recipients(owner) == {owner.vault.key.recipient}
        assert len(claim(owner)) == 20
