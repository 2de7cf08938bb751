"""A change of the key reaches every copy: keyring, second copy, what was set aside."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from kiosk.errors import ContractError, OutboxUnavailable
from offline_queue import keys
from offline_queue.crypto import rotation
from offline_queue.owner import OutboxOwner
from offline_queue.recovery import comparing
from offline_queue.recovery.keyring import Keyring, WrappedKey
from offline_queue.store import Store
from tests.outbox_kit import claim, deliver, opened, registration

pytestmark = pytest.mark.timeout(120)
COPIED = OutboxSection(second_copy=True)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def keyring_names(owner: OutboxOwner) -> set[str]:
    def work(_: Store) -> set[str]:
        assert owner.second_copy is not None
        assert owner.second_copy.keyring is not None
        return {key.recipient for key in owner.second_copy.keyring}

    return owner.call(work)


def wrapped(owner: OutboxOwner) -> list[bytes]:
    return [key.part.wrapped for key in owner.call(lambda store: store.wrapped_after(0, 10_000))]


def until(ready: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end, "never came"
        time.sleep(0.01)


def test_the_keyring_is_rewrapped_and_a_lost_database_is_made_again_with_the_new_key(tmp_path: Path) -> None:
    puts = [registration() for _ in range(8)]
    with opened(tmp_path, settings=COPIED) as owner:
        for put in puts:
            owner.outbox.put(put)
        deliver(owner, puts[0].record_id)
        before = [key for key in wrapped(owner) if any(key)]
        rotation.rotate(owner)
        assert keyring_names(owner) == {owner.vault.key.recipient}
    assert [key for key in before if key in everything(tmp_path)] == []
    for path in tmp_path.glob("queue.db*"):
        path.unlink()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait()
        assert {item.text for item in claim(owner)} == {put.text for put in puts[1:]}


def test_the_keyring_keeps_up_slice_by_slice_and_no_guest_waits_for_all_of_it_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    wrapped_by = Keyring.wrapped_by

    def counted(keyring: Keyring, recipients: Collection[str]) -> list[WrappedKey]:
        left.append(len(found := wrapped_by(keyring, recipients)))
        return found

    monkeypatch.setattr(Keyring, "wrapped_by", counted)
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait()
        puts = [registration() for _ in range(100)]
        for put in puts:
            owner.outbox.put(put)
        old = owner.vault.key.recipient
        rotation.rotate(owner)
        assert left == [0]
        assert keyring_names(owner) == {owner.vault.key.recipient} != {old}
        assert comparing.faults(owner) == []
    for path in tmp_path.glob("queue.db*"):
        path.unlink()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait()
        assert all(owner.outbox.open_text(put.record_id, 1) == put.text for put in puts)


def test_a_key_of_nothing_is_not_carried_along(tmp_path: Path) -> None:
    with opened(tmp_path, settings=COPIED) as owner:
        owner.outbox.put(registration())
        owner.mending.wait()
        old = owner.vault.key.recipient

        def orphan(_: Store) -> None:
            assert owner.second_copy is not None
            assert owner.second_copy.keyring is not None
            owner.second_copy.keyring.put([WrappedKey(b"\7" * 16, 1, "text", "intl", old, "0" * 16, b"\7" * 60)])

        owner.call(orphan)
        rotation.rotate(owner)
        assert keyring_names(owner) == {owner.vault.key.recipient}
    assert b"\7" * 60 not in everything(tmp_path)


def test_no_key_goes_while_a_copy_may_still_need_it(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.outbox.put(put)
        owner.mending.wait()
        old = owner.vault.key

        def broken(_: Store) -> None:
            assert owner.second_copy is not None
            owner.second_copy.close()
            shutil.rmtree(owner.second_copy.folder)
            owner.second_copy.folder.write_text("a disk that does not answer")

        owner.call(broken)
        with pytest.raises(OutboxUnavailable, match="second copy is behind"):
            rotation.rotate(owner)
        assert owner.vault.keys.old == (old,)
        assert owner.outbox.open_text(put.record_id, 1) == put.text
        owner.call(lambda _: (tmp_path / "second-copy").unlink())
        assert rotation.rotate(owner).resumed
        assert owner.vault.keys.old == ()
        assert keyring_names(owner) == {owner.vault.key.recipient}


def test_a_change_that_was_cut_off_goes_on_by_itself(tmp_path: Path) -> None:
    puts = [registration() for _ in range(5)]
    with opened(tmp_path, settings=COPIED) as owner:
        for put in puts:
            owner.outbox.put(put)
    keys.make(keys.successor_of(tmp_path / "queue.key"))
    with opened(tmp_path, settings=COPIED) as owner:
        assert len(owner.vault.keys.old) == 1
        rotation.resume(owner)
        until(lambda: not owner.vault.keys.old)
        assert keyring_names(owner) == {owner.vault.key.recipient}
        assert {item.text for item in claim(owner)} == {put.text for put in puts}
    assert {path.name for path in tmp_path.glob("queue.key*")} == {"queue.key", "queue.keyring"}


def test_a_change_that_goes_on_by_itself_ends_with_the_outbox(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    keys.make(keys.successor_of(tmp_path / "queue.key"))
    with opened(tmp_path) as owner:
        rotation.resume(owner)
    with opened(tmp_path) as owner:
        rotation.resume(owner)
        until(lambda: not owner.vault.keys.old)
        assert len(claim(owner)) == 1


def test_a_damaged_outbox_is_salvaged_before_its_key_may_go(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        (tmp_path / "queue.db.damaged-20260101T000000Z-1").touch()
        before = owner.vault.key
        with pytest.raises(ContractError, match="salvage"):
            rotation.rotate(owner)
        assert owner.vault.key == before
        assert not keys.successor_of(tmp_path / "queue.key").exists()


def test_what_comes_back_from_a_damaged_outbox_is_wrapped_by_the_new_key_too(tmp_path: Path) -> None:
    puts = [registration() for _ in range(30)]
    with opened(tmp_path) as owner:
        for put in puts:
            owner.outbox.put(put)
        old = owner.vault.key
    with (tmp_path / "queue.db").open("r+b") as file:
        file.write(bytes(100))
    with opened(tmp_path) as owner:
        late = registration()
        owner.outbox.put(late)
        rotation.rotate(owner)
        assert owner.vault.key != old
        assert {key.part.recipient for key in owner.call(lambda store: store.wrapped_after(0, 1000))} == {
            owner.vault.key.recipient
        }
        assert {item.text for item in claim(owner)} == {put.text for put in (*puts, late)}
