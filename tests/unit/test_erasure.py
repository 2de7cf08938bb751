"""A receipt of erasure: what was erased and when, signed, naming nobody, and checked by anybody without the kiosk."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.config import OutboxSection
from kiosk.errors import ContractError, OutboxUnavailable
from kiosk.sm2 import Sm2PrivateKey
from offline_queue import erasure, legal_hold, retention
from offline_queue.crypto.device_key import DeviceKey, Ed25519Key, Sm2Key
from offline_queue.delivery.authority_time import iso
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import (
    ADDRESS,
    NAME,
    NUMBER,
    ROOM,
    deliver,
    event,
    new_id,
    opened,
    receipt,
    registration,
    reject,
    settle_claimed,
    state,
)

DAY_S = 86_400
KEYS: dict[str, Callable[[], DeviceKey]] = {
    "Ed25519": lambda: Ed25519Key(Ed25519PrivateKey.generate()),
    "SM2": lambda: Sm2Key(Sm2PrivateKey.generate()),
}

OPENSSL = {
    "Ed25519": "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in statement -sigfile signature",
    "SM2": "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -digest sm3 "
    "-pkeyopt distid:1234567812345678 -in statement -sigfile signature",
}
"""As SECURITY.md tells them."""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as held:
        held.device_key = Ed25519Key(Ed25519PrivateKey.generate())
        yield held


def erased(owner: OutboxOwner, record_id: str | None = None) -> str:
    """Have one record delivered 31 days ago and purged now."""
    put = registration(record_id)
    owner.outbox.put(put)
    deliver(owner, put.record_id, wall=owner.clock.wall() - 31 * DAY_S)
    retention.purge_all(owner, 30)
    return put.record_id


def receipts(owner: OutboxOwner, record_id: str) -> list[dict[str, Any]]:
    return owner.call(lambda store: erasure.documents(store, UUID(record_id)))


def test_a_receipt_says_what_was_erased_and_when(owner: OutboxOwner) -> None:
    record_id = erased(owner)
    (paper,) = receipts(owner, record_id)
    checked = erasure.check(paper)
    assert checked.faults == ()
    kept = event(owner, record_id)
    said = checked.statement
    assert (said["recordId"], said["revision"], said["op"]) == (record_id, 1, "CI")
    assert (said["contentHash"], said["receiptNo"]) == (kept.content_hash.hex(), "R-1")
    assert kept.settled_at is not None
    times = {part["part"]: part["at"] for part in said["erased"]}
    assert times["id"] == times["live"] == iso(kept.settled_at)
    assert times["text"] > times["id"]
    assert said["replaced"] == []


def test_a_receipt_names_nobody(owner: OutboxOwner) -> None:
    (paper,) = receipts(owner, erased(owner))
    told = json.dumps(paper, ensure_ascii=False)
    assert not [value for value in (NAME, NUMBER, ADDRESS, ROOM, NUMBER[6:14]) if value in told]


@pytest.mark.parametrize("kind", KEYS)
def test_every_altered_sign_of_a_receipt_is_noticed(owner: OutboxOwner, kind: str) -> None:
    owner.device_key = KEYS[kind]()
    (paper,) = receipts(owner, erased(owner))
    assert erasure.check(paper).faults == ()
    text = paper["statement"]
    for at in range(0, len(text), 7):
        altered = paper | {"statement": text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]}
        assert erasure.check(altered).faults, text[at]
    other = KEYS[kind]()
    assert erasure.check(paper, other.public_pem()).faults
    assert erasure.check(paper, owner.device_key.public_pem()).faults == ()
    assert erasure.check(paper).signer == fingerprint(owner.device_key)


@pytest.mark.parametrize("kind", KEYS)
def test_a_forger_cannot_show_the_hotels_key_and_sign_with_another(owner: OutboxOwner, kind: str) -> None:
    owner.device_key, forger = KEYS[kind](), KEYS[kind]()
    (paper,) = receipts(owner, erased(owner))
    shown = "".join(line for line in paper["publicKey"].splitlines() if "-----" not in line)
    signature = base64.b64encode(forger.sign(paper["statement"].encode())).decode()
    for text in (shown + "\n" + forger.public_pem().decode(), forger.public_pem().decode() + shown):
        checked = erasure.check(paper | {"signature": signature, "publicKey": text})
        assert checked.signer == fingerprint(forger), "it is the key that checked, and no other"


def fingerprint(key: DeviceKey) -> str:
    """As a hotel makes it, with openssl pkey -pubin -outform DER | sha256sum."""
    body = "".join(line for line in key.public_pem().decode().splitlines() if "-----" not in line)
    return hashlib.sha256(base64.b64decode(body)).hexdigest()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"statement": 7, "signature": ""},
        {"statement": "{}", "signature": "AA=="},
        {"statement": "[" * 100_000, "signature": "AA=="},
        {"statement": '{"kind":"' + erasure.KIND + '"}', "signature": "AA==", "publicKey": "no key"},
        {"statement": '{"kind":"' + erasure.KIND + '"}', "signature": "AA==", "publicKey": "\ud800"},
        {"statement": '{"kind":"' + erasure.KIND + '\ud800"}', "signature": "AA==", "publicKey": "x"},
        {"statement": '{"kind":"' + erasure.KIND + '"}', "signature": "not base64"},
        {"statement": '{"kind":"' + erasure.KIND + '"}', "signature": ""},
    ],
)
def test_what_is_no_receipt_is_told_and_breaks_nothing(document: object) -> None:
    assert len(erasure.check(document).faults) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
@pytest.mark.parametrize("kind", KEYS)
def test_openssl_alone_checks_a_receipt(owner: OutboxOwner, tmp_path: Path, kind: str) -> None:
    owner.device_key = KEYS[kind]()
    (paper,) = receipts(owner, erased(owner))
    (tmp_path / "statement").write_text(paper["statement"])
    (tmp_path / "signature").write_bytes(base64.b64decode(paper["signature"]))
    (tmp_path / "key.pem").write_text(paper["publicKey"])
    command = shlex.split(OPENSSL[kind])
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode == 0
    (tmp_path / "statement").write_text(paper["statement"].replace('"revision":1', '"revision":2'))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode != 0


def test_what_a_correction_replaced_stands_on_its_receipt(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    reject(owner, put.record_id)
    owner.outbox.put(registration(put.record_id, 2), supersedes=1)
    settle_claimed(owner, {(put.record_id, 2): receipt()}, wall=owner.clock.wall() - 31 * DAY_S)
    retention.purge_all(owner, 30)
    (paper,) = receipts(owner, put.record_id)
    replaced = event(owner, put.record_id, 1)
    assert erasure.check(paper).statement["replaced"] == [
        {"revision": 1, "contentHash": replaced.content_hash.hex()},
    ]


def test_without_a_device_key_receipts_wait_for_it(owner: OutboxOwner) -> None:
    owner.device_key = None
    one = erased(owner)
    (paper,) = receipts(owner, one)
    assert erasure.check(paper).faults == ("not signed yet: ask again after the kiosk's next purge",)
    assert erasure.report(owner).unsigned == 1
    owner.device_key = Ed25519Key(Ed25519PrivateKey.generate())
    two = erased(owner)
    assert [erasure.check(receipts(owner, record)[0]).faults for record in (one, two)] == [(), ()]
    assert erasure.report(owner).unsigned == 0


def test_a_kiosk_that_was_killed_before_it_signed_signs_later(owner: OutboxOwner, tmp_path: Path) -> None:
    put = registration()
    owner.outbox.put(put)
    deliver(owner, put.record_id, wall=owner.clock.wall() - 31 * DAY_S)
    owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))  # ... and here it is killed
    key = owner.device_key
    owner.close()
    with opened(tmp_path) as again:
        again.device_key = key
        assert retention.purge_all(again, 30).records == 0
        assert erasure.check(receipts(again, put.record_id)[0]).faults == ()


def test_nothing_is_signed_while_the_log_may_still_hold_a_key(
    owner: OutboxOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "truncate_log", lambda store: False)
    (paper,) = receipts(owner, erased(owner))
    assert paper["signature"] == ""


def test_nothing_is_signed_while_a_damaged_database_may_still_hold_a_key(owner: OutboxOwner, tmp_path: Path) -> None:
    aside = tmp_path / "queue.db.damaged-20260101T000000Z-1"
    aside.write_bytes(b"not salvaged yet")
    record_id = erased(owner)
    assert receipts(owner, record_id)[0]["signature"] == ""
    aside.unlink()
    retention.purge_all(owner, 30)
    assert erasure.check(receipts(owner, record_id)[0]).faults == ()


def test_nothing_is_signed_while_the_second_copy_does_not_answer(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with opened(tmp_path / "live", settings=OutboxSection(second_copy=True, second_copy_dir=copy)) as owner:
        owner.device_key = Ed25519Key(Ed25519PrivateKey.generate())
        owner.mending.wait(60)
        owner.call(lambda store: owner.second_copy.close())  # type: ignore[union-attr]
        copy.rename(tmp_path / "unplugged")
        copy.write_bytes(b"no folder any more")
        record_id = erased(owner)
        assert receipts(owner, record_id)[0]["signature"] == ""
        copy.unlink()
        (tmp_path / "unplugged").rename(copy)
        retention.purge_all(owner, 30)
        assert erasure.check(receipts(owner, record_id)[0]).faults == ()


def test_a_receipt_outlives_the_key_that_signed_it(owner: OutboxOwner) -> None:
    record_id = erased(owner)
    owner.device_key = Ed25519Key(Ed25519PrivateKey.generate())
    erased(owner)
    (paper,) = receipts(owner, record_id)
    checked = erasure.check(paper)
    assert checked.faults == ()
    assert checked.signer != fingerprint(owner.device_key)


def test_keys_and_receipt_go_in_one_transaction(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    deliver(owner, put.record_id, wall=owner.clock.wall() - 31 * DAY_S)
    owner.call(
        lambda store: store._conn.execute(
            "CREATE TEMP TRIGGER stuck BEFORE INSERT ON erasure BEGIN SELECT RAISE(ABORT, 'stuck'); END"
        )
    )
    with pytest.raises(OutboxUnavailable, match="stuck"):
        retention.purge_all(owner, 30)
    assert state(owner, put.record_id) is EventState.DELIVERED
    assert owner.outbox.open_text(put.record_id, 1) == put.text


def test_the_report_counts_texts_and_photos_by_the_day_of_their_own_erasure(owner: OutboxOwner) -> None:
    for _ in range(3):
        erased(owner)
    month_ago, today = (iso(owner.clock.wall() - days * DAY_S)[:10] for days in (31, 0))
    assert erasure.report(owner).days == ((month_ago, 0, 6), (today, 3, 0))


def test_the_report_knows_photos_that_are_gone_before_their_text(
    owner: OutboxOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_REPORTED", 2)
    today = iso(owner.clock.wall())[:10]
    waiting, replaced = registration(), registration()
    owner.outbox.put(waiting)
    assert erasure.report(owner).days == ()
    for _ in range(3):
        put = registration()
        owner.outbox.put(put)
        deliver(owner, put.record_id)
    assert erasure.report(owner).days == ((today, 0, 6),)
    owner.outbox.put(replaced)
    reject(owner, replaced.record_id)
    owner.outbox.put(registration(replaced.record_id, 2), supersedes=1)
    assert erasure.report(owner).days == ((today, 0, 6),)
    settle_claimed(owner, {(replaced.record_id, 2): receipt()})
    assert erasure.report(owner).days == ((today, 0, 8),)


def test_who_asks_for_a_receipt_too_early_is_told_so(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    with pytest.raises(ContractError, match="nothing of this record"):
        receipts(owner, put.record_id)
    with pytest.raises(ContractError, match=r"no record .*queue list"):
        receipts(owner, new_id())


def test_a_record_erased_by_an_earlier_program_has_no_receipt_and_says_so(owner: OutboxOwner) -> None:
    record_id = erased(owner)
    owner.call(lambda store: store._conn.execute("DELETE FROM erasure"))
    with pytest.raises(ContractError, match="signed no receipts yet"):
        receipts(owner, record_id)


def test_what_a_migration_kept_goes_when_its_time_is_over_and_nothing_else_does(
    owner: OutboxOwner, tmp_path: Path
) -> None:
    names = (
        "queue.db.v1-20260101T000000Z.backup",
        "queue.db.v1-29990101T000000Z.backup",
        "queue.db.v1-notours.backup",
        "queue.db.bak",
    )
    for name in names:
        (tmp_path / name).touch()
    retention.purge_all(owner, 30)
    assert {name for name in names if (tmp_path / name).exists()} == set(names[1:])


# ---- legal hold ------------------------------------------------------------------------------------------------------


def test_a_record_on_hold_is_kept_and_the_others_are_not(owner: OutboxOwner) -> None:
    kept, gone = registration(), registration()
    for put in (kept, gone):
        owner.outbox.put(put)
    long_ago = owner.clock.wall() - 31 * DAY_S
    settle_claimed(owner, {(put.record_id, 1): receipt() for put in (kept, gone)}, wall=long_ago)
    owner.call(lambda store: legal_hold.hold(store, UUID(kept.record_id), 1.0, by="chen", case="2026-17"))
    look = owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30, dry_run=True))
    assert (look.records, look.held) == (1, 1)
    done = retention.purge_all(owner, 30)
    assert (done.records, done.held) == (1, 1)
    assert owner.outbox.open_text(kept.record_id, 1) == kept.text
    assert owner.outbox.open_text(gone.record_id, 1) is None
    owner.call(lambda store: legal_hold.release(store, UUID(kept.record_id)))
    assert retention.purge_all(owner, 30).records == 1
    assert state(owner, kept.record_id) is EventState.PURGED


def test_many_records_on_hold_do_not_keep_others_from_erasure(
    owner: OutboxOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    puts = [registration(photos=False) for _ in range(9)]
    for put in puts:
        owner.outbox.put(put)
    long_ago = owner.clock.wall() - 31 * DAY_S
    settle_claimed(owner, {(put.record_id, 1): receipt() for put in puts}, wall=long_ago)
    for put in puts[:5]:
        owner.call(lambda store, one=put: legal_hold.hold(store, UUID(one.record_id), 1.0, by="a", case="c"))  # type: ignore[misc]
    assert (retention.purge_all(owner, 30).records, retention.purge_all(owner, 30).held) == (4, 5)


def test_a_hold_says_why_without_a_name_and_only_on_what_is_there(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    record = UUID(put.record_id)
    with pytest.raises(ContractError, match="names nobody") as refused:
        owner.call(lambda store: legal_hold.hold(store, record, 1.0, by="a", case=NAME))
    assert NAME not in str(refused.value)
    with pytest.raises(ContractError, match=r"no record .*queue list"):
        owner.call(lambda store: legal_hold.hold(store, UUID(new_id()), 1.0, by="a", case="1"))
    with pytest.raises(ContractError, match="not on hold"):
        owner.call(lambda store: legal_hold.release(store, record))
    gone = UUID(erased(owner))
    with pytest.raises(ContractError, match="erased already"):
        owner.call(lambda store: legal_hold.hold(store, gone, 1.0, by="a", case="1"))


def test_a_hold_outlives_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
        owner.call(lambda store: legal_hold.hold(store, UUID(put.record_id), 7.0, by="chen", case="2026-17"))
    with opened(tmp_path) as owner:
        assert owner.call(legal_hold.held) == {UUID(put.record_id): legal_hold.LegalHold(7.0, "chen", "2026-17")}
