"""Write-only mode: what the kiosk queued only the authority can read, from the put to its receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from kiosk.errors import ConfigError, ContractError
from kiosk.sandbox.process import SandboxProcess
from kiosk.sandbox.receiver import FILES, HYBRID, SM2, X25519, Receiver
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, ledger
from tests.outbox_kit import (
    ADDRESS,
    ID_PHOTO,
    NAME,
    NUMBER,
    ROOM,
    bytes_on_disk,
    changed,
    claim,
    event,
    opened,
    registration,
    state,
)

pytestmark = pytest.mark.timeout(60)
KINDS = pytest.mark.parametrize("alg", [X25519, HYBRID, SM2])


def write_only(folder: Path, alg: str, **more: object) -> OutboxSection:
    return OutboxSection(recipient_key_file=folder / FILES[alg], **more)


@contextmanager
def sealed_delivery(
    sandbox: SandboxProcess, folder: Path, settings: OutboxSection, *, start: bool = True
) -> Iterator[Delivery]:
    with opened(folder, settings=settings) as owner:
        made = Delivery(owner, sandbox)
        if start:
            made.sync.start()
        try:
            yield made
        finally:
            made.sync.stop()


@KINDS
def test_a_sealed_guest_is_opened_by_the_authority_and_receipted(
    sandbox: SandboxProcess, tmp_path: Path, alg: str
) -> None:
    with sealed_delivery(sandbox, tmp_path, write_only(sandbox.info.recipients_dir, alg)) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
        kept = event(line.owner, record_id)
    (row,) = ledger(sandbox, record_id)
    assert (row["content_hash"], row["id_number"], row["photos"]) == (kept.content_hash.hex(), NUMBER, 2)
    assert NUMBER not in row["text"]


@KINDS
def test_who_has_the_kiosk_with_all_its_keys_reads_no_guest(tmp_path: Path, alg: str) -> None:
    Receiver(tmp_path / "authority")
    put = registration()
    with opened(tmp_path / "kiosk", settings=write_only(tmp_path / "authority", alg)) as owner:
        owner.outbox.put(put)
        (taken,) = claim(owner)
        everything = taken.text + b"".join(taken.photos) + bytes_on_disk(tmp_path / "kiosk")
    for told in (NAME, NUMBER, ADDRESS, f'"{ROOM}"', json.loads(put.text)["salt"]):
        assert told.encode() not in everything
    assert ID_PHOTO[10:200] not in everything
    assert len(taken.photos) == 2


def test_staff_see_a_sealed_stub(tmp_path: Path) -> None:
    Receiver(tmp_path / "authority")
    put = registration()
    with opened(tmp_path / "kiosk", settings=write_only(tmp_path / "authority", HYBRID)) as owner:
        owner.outbox.put(put)
        text = json.loads(owner.outbox.open_text(put.record_id, 1) or b"")
        (row,) = Answers(owner).rows(Inquiry("show", put.record_id), "uid 0")
    assert "guest" not in text
    assert (text["recordId"], text["stayId"], text["sealedGuest"]["kid"]) == (
        put.record_id,
        put.stay_id,
        "sandbox-hybrid",
    )
    assert (row["sealed_for"], row["name"], row["number"], row["room"]) == ("sandbox-hybrid", "", "", "")


def test_the_same_record_again_is_acknowledged_once_although_it_seals_differently(tmp_path: Path) -> None:
    Receiver(tmp_path / "authority")
    put = registration()
    with opened(tmp_path / "kiosk", settings=write_only(tmp_path / "authority", X25519)) as owner:
        owner.outbox.put(put)
        first = event(owner, put.record_id)
        assert owner.outbox.put(put) == put.record_id
        assert event(owner, put.record_id) == first
        assert len(claim(owner)) == 1
        with pytest.raises(ContractError, match="other content"):
            owner.outbox.put(changed(put, roomNo="1209"))


def test_a_guest_sealed_to_another_key_is_refused_and_waits_for_a_person(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    Receiver(tmp_path / "stranger")
    with sealed_delivery(sandbox, tmp_path / "kiosk", write_only(tmp_path / "stranger", X25519)) as line:
        record_id = line.put()
        line.until_state(EventState.REJECTED, record_id)
    assert ledger(sandbox, record_id) == []


def test_a_guest_put_into_another_record_is_refused(sandbox: SandboxProcess, tmp_path: Path) -> None:
    settings = write_only(sandbox.info.recipients_dir, X25519)
    with sealed_delivery(sandbox, tmp_path, settings, start=False) as line:
        ours, other = line.put(photos=False), registration(photos=False)
        moved = json.loads(other.text)
        del moved["guest"]
        moved["sealedGuest"] = json.loads(line.owner.outbox.open_text(ours, 1) or b"")["sealedGuest"]
    text = json.dumps(moved).encode()
    with opened(tmp_path / "thief") as owner:
        thief = Delivery(owner, sandbox)
        thief.sync.start()
        try:
            owner.outbox.put(type(other)(other.record_id, 1, "CI", other.stay_id, other.occurred_at, text))
            thief.until_state(EventState.REJECTED, other.record_id)
        finally:
            thief.sync.stop()


def test_what_waited_before_write_only_mode_is_still_delivered(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        early = owner.outbox.put(registration())
    with sealed_delivery(sandbox, tmp_path, write_only(sandbox.info.recipients_dir, HYBRID)) as line:
        late = line.put()
        line.until_state(EventState.DELIVERED, early, late)


def test_a_sandbox_that_comes_back_opens_what_was_sealed_before(tmp_path: Path) -> None:
    with SandboxProcess(latency_ms=0, run_dir=tmp_path / "authority") as sandbox:
        settings = write_only(sandbox.info.recipients_dir, X25519)
        with opened(tmp_path / "kiosk", settings=settings) as owner:
            record_id = owner.outbox.put(registration())
    with (
        SandboxProcess(latency_ms=0, run_dir=tmp_path / "authority") as again,
        sealed_delivery(again, tmp_path / "kiosk", settings) as line,
    ):
        line.until_state(EventState.DELIVERED, record_id)
        assert state(line.owner, record_id) is EventState.DELIVERED


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b"\xff",
        json.dumps({"suizhu": "suizhu-recipient-key-1", "kid": "a b", "alg": X25519, "public": "AA=="}).encode(),
        json.dumps({"suizhu": "suizhu-recipient-key-1", "kid": "k", "alg": "ROT13", "public": "AA=="}).encode(),
        json.dumps({"suizhu": "suizhu-recipient-key-1", "kid": "k", "alg": HYBRID, "public": "AA=="}).encode(),
        json.dumps({"suizhu": "suizhu-recipient-key-1", "kid": "k", "alg": SM2, "public": "AA=="}).encode(),
        json.dumps({"suizhu": "suizhu-recipient-key-1", "kid": "k", "alg": X25519, "public": "?"}).encode(),
        json.dumps({"suizhu": "suizhu-recipient-key-1", "kid": "k", "alg": X25519, "public": "A" * 43 + "="}).encode(),
    ],
)
def test_a_file_that_is_no_key_to_seal_to_stops_the_start(tmp_path: Path, told: bytes) -> None:
    (tmp_path / "key.json").write_bytes(told)
    settings = OutboxSection(recipient_key_file=tmp_path / "key.json")
    with pytest.raises(ConfigError, match="recipient_key_file"), opened(tmp_path / "kiosk", settings=settings):
        pass
    assert not (tmp_path / "kiosk" / "queue.db").exists()
