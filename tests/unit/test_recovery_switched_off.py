"""A second copy that is switched off keeps no key back that erasure would not reach."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.errors import ContractError, OutboxUnavailable
from offline_queue import erasure, retention
from offline_queue.crypto import rotation
from offline_queue.crypto.device_key import Ed25519Key
from offline_queue.owner import OutboxOwner
from offline_queue.recovery import switched_off
from offline_queue.recovery.keeper import KEYRING_FILE
from offline_queue.store import Store
from tests.outbox_kit import deliver, opened, registration
from tests.recovery_kit import COPIED, MEND_S, mended

pytestmark = pytest.mark.timeout(120)
MONTH_S = 31 * 86_400


def wrapped_keys(owner: OutboxOwner) -> set[bytes]:
    rows = owner.call(lambda store: store._conn.execute("SELECT wrapped FROM data_key").fetchall())
    return {row[0] for row in rows if any(row[0])}


def files_with(keys: set[bytes], folder: Path) -> set[str]:
    held = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name for name, found in held.items() for key in keys if key in found}


def test_erasure_leaves_no_key_in_a_keyring_that_is_used_no_more(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        owner.outbox.put(put)
        keys = wrapped_keys(owner)
        assert KEYRING_FILE in files_with(keys, tmp_path)
    with opened(tmp_path) as owner:
        assert not (tmp_path / KEYRING_FILE).exists()
        owner.device_key = Ed25519Key(Ed25519PrivateKey.generate())
        deliver(owner, put.record_id, wall=owner.clock.wall() - MONTH_S)
        retention.purge_all(owner, 30)
        assert files_with(keys, tmp_path) == set()
        (paper,) = owner.call(lambda store: erasure.documents(store, UUID(put.record_id)))
        assert erasure.check(paper).faults == ()
    with mended(tmp_path, settings=COPIED):  # switched on again
        assert files_with(keys, tmp_path) == set()


def test_nothing_is_signed_while_such_a_keyring_cannot_be_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(store: Store, file: Path) -> None:
        raise OutboxUnavailable("outbox keyring: Input/output error")

    put = registration()
    with opened(tmp_path) as owner:
        owner.device_key = Ed25519Key(Ed25519PrivateKey.generate())
        owner.outbox.put(put)
        deliver(owner, put.record_id, wall=owner.clock.wall() - MONTH_S)
        with monkeypatch.context() as patched:
            patched.setattr(switched_off, "forget", stuck)
            assert retention.purge_all(owner, 30).records == 1
            assert erasure.report(owner).unsigned == 1
        retention.purge_all(owner, 30)
        assert erasure.report(owner).unsigned == 0


def test_keys_of_records_that_the_store_lost_wait_for_the_second_copy(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        owner.outbox.put(put)
    for path in tmp_path.glob("queue.db*"):
        path.unlink()
    with opened(tmp_path) as owner:  # switched off by mistake: nothing is known of the record here
        owner.outbox.put(registration())
        with pytest.raises(ContractError, match="switch second_copy on"):
            rotation.rotate(owner)  # they would be wrapped by a key that is gone
    with mended(tmp_path, settings=COPIED) as owner:
        assert owner.outbox.open_text(put.record_id, 1) == put.text
        rotation.rotate(owner)
        assert owner.outbox.open_text(put.record_id, 1) == put.text
