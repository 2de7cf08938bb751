"""What an auditor and a court rest on is made again with a lost database: legal holds and receipts of erasure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue import erasure, legal_hold, retention
from offline_queue.crypto.device_key import Ed25519Key
from offline_queue.database.rows import Event, columns_of
from offline_queue.database.verify import verify
from offline_queue.legal_hold import LegalHold
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import claim, deliver, opened, registration, state
from tests.recovery_kit import COPIED, MEND_S, mended

pytestmark = pytest.mark.timeout(120)
MONTH_S = 31 * 86_400


def lost(folder: Path) -> None:
    for path in folder.glob("queue.db*"):
        path.unlink()


def delivered_long_ago(owner: OutboxOwner) -> str:
    put = registration()
    owner.outbox.put(put)
    deliver(owner, put.record_id, wall=owner.clock.wall() - MONTH_S)
    return put.record_id


def nothing(owner: OutboxOwner, record: UUID) -> None:
    """The hold stands."""


def corrected(owner: OutboxOwner, record: UUID) -> None:
    """A later revision is put while the hold stands."""
    owner.outbox.put(registration(str(record), 2))


@pytest.mark.parametrize("then", [nothing, corrected])
def test_a_legal_hold_outlives_the_database(tmp_path: Path, then: Callable[[OutboxOwner, UUID], None]) -> None:
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        kept, let_go, gone = (UUID(delivered_long_ago(owner)) for _ in range(3))
        for record in (kept, let_go):
            owner.call(lambda store, one=record: legal_hold.hold(store, one, 7.0, by="chen", case="2026-17"))  # type: ignore[misc]
        owner.call(lambda store: legal_hold.release(store, let_go))
        then(owner, kept)
    lost(tmp_path)
    with mended(tmp_path, settings=COPIED) as owner:
        assert owner.call(legal_hold.held) == {kept: LegalHold(7.0, "chen", "2026-17")}
        done = retention.purge_all(owner, 30)
        assert (done.records, done.held) == (2, 1)
        assert owner.outbox.open_text(str(kept), 1) is not None  # type: ignore[arg-type]
        assert state(owner, str(gone)) is EventState.PURGED


def test_a_receipt_of_erasure_outlives_the_database_and_is_signed_again(tmp_path: Path) -> None:
    key = Ed25519Key(Ed25519PrivateKey.generate())
    with opened(tmp_path, settings=COPIED) as owner:
        owner.device_key = key
        owner.mending.wait(MEND_S)
        record = delivered_long_ago(owner)
        retention.purge_all(owner, 30)
        (before,) = owner.call(lambda store: erasure.documents(store, UUID(record)))
        assert erasure.check(before).faults == ()
    lost(tmp_path)
    with mended(tmp_path, settings=COPIED) as owner:
        owner.device_key = key
        retention.purge_all(owner, 30)
        (after,) = owner.call(lambda store: erasure.documents(store, UUID(record)))
        assert after["statement"] == before["statement"]
        assert erasure.check(after, key.public_pem()).faults == ()


@pytest.mark.parametrize(("became", "kept"), [(EventState.DELIVERED, {"text"}), (EventState.PURGED, set())])
def test_a_receipt_that_is_found_again_ends_the_photos_keys_that_are_here_from_before_it(
    tmp_path: Path, became: EventState, kept: set[str]
) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
        text = owner.call(lambda store: [part for part in store.parts(only(store)) if part.part == "text"])
        owner.call(lambda store: store._conn.execute("UPDATE payload SET sealed = zeroblob(50) WHERE part = 'text'"))
        assert claim(owner) == []
        assert state(owner, put.record_id) is EventState.QUARANTINED

        def mend(store: Store) -> set[str]:
            live = only(store)
            settled = {"state": became, "receipt": "R-1", "received_at": "", "settled_at": 7.0}
            with store.transaction():
                store.mend(live, columns_of(live) | settled, text if became is EventState.DELIVERED else [], 8.0)
            return {part.part for part in store.keys_of(live.id) if any(part.wrapped)}

        assert owner.call(mend) == kept
        assert state(owner, put.record_id) is became
        assert verify(owner).faults == ()


def only(store: Store) -> Event:
    (found,) = store.latest(1)
    return found
