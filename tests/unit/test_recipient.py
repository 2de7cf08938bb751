"""What is sealed to the authority: HPKE as published, bound to its record, and unreadable to who queued it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from kiosk.errors import ContractError
from kiosk.model import Registration
from kiosk.sandbox import receiver
from kiosk.sandbox.receiver import FILES, HYBRID, SM2, X25519, Receiver
from offline_queue.crypto import recipient
from offline_queue.crypto.recipient import Recipient
from tests.outbox_kit import HOTEL, NAME, NUMBER, registration
from tests.unit import xwing_vector

KINDS = pytest.mark.parametrize("alg", [X25519, HYBRID, SM2])


# ---- published vectors -----------------------------------------------------------------------------------------------

INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
PLAIN = b"Beauty is truth, truth beauty"
# The vectors that go with RFC 9180: base mode, DHKEM(X25519), HKDF-SHA256, AES-256-GCM, first encryption
PRIVATE = bytes.fromhex("497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d")
ENC = bytes.fromhex("6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256")
SHARED = bytes.fromhex("3101c54c3a4f87439eaac080699ed9bbcc726ffe44e860c0424ccb7e3e2ead7b")
CT = bytes.fromhex("e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a")


def key_schedule(shared: bytes, kem_id: int, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180, section 5.1, written down once more: key and first nonce of base mode with AES-256-GCM."""
    suite = b"HPKE" + kem_id.to_bytes(2, "big") + b"\0\1\0\2"

    def extract(salt: bytes, label: bytes, given: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + given, "sha256")

    def expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
        labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return HKDFExpand(SHA256(), size, labelled).derive(secret)

    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    return expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)


def test_the_key_schedule_is_the_rfcs() -> None:
    key, nonce = key_schedule(SHARED, 0x0020, INFO)
    assert key.hex() == "f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f"
    assert AESGCM(key).encrypt(nonce, PLAIN, b"Count-0") == CT


def test_the_receiver_opens_what_the_rfcs_sender_encapsulated(tmp_path: Path) -> None:
    (tmp_path / "x25519.key").write_bytes(PRIVATE)
    key, nonce = key_schedule(SHARED, 0x0020, INFO)
    opened = receiver._curve(tmp_path / "x25519.key").open
    sealed = ENC + AESGCM(key).encrypt(nonce, PLAIN, b"")
    assert opened(sealed, INFO) == PLAIN
    assert opened(sealed, INFO + b"!") is None


def test_the_receiver_opens_what_the_hybrid_vectors_sender_encapsulated(tmp_path: Path) -> None:
    """A seed of X-Wing is 64 bytes for ML-KEM-768 and 32 for X25519, drawn from SHAKE256."""
    (tmp_path / "hybrid.key").write_bytes(hashlib.shake_256(xwing_vector.SEED).digest(96))
    key, nonce = key_schedule(xwing_vector.SHARED_SECRET, 0x647A, INFO)
    opened = receiver._hybrid(tmp_path / "hybrid.key").open
    sealed = xwing_vector.CIPHERTEXT + AESGCM(key).encrypt(nonce, PLAIN, b"")
    assert opened(sealed, INFO) == PLAIN
    for at in (0, 600, 1100, 1119, 1120, len(sealed) - 1):
        assert opened(sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :], INFO) is None


# ---- a sealed record -------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, Receiver]:
    return tmp_path, Receiver(tmp_path)


def sealed_by(folder: Path, alg: str, given: Registration) -> tuple[Recipient, Registration, dict[str, Any]]:
    to = recipient.load(folder / FILES[alg])
    sealed = to.seal(given, HOTEL)
    return to, sealed, json.loads(sealed.text)


@KINDS
def test_only_the_guest_and_the_photos_change(authority: tuple[Path, Receiver], alg: str) -> None:
    folder, opens = authority
    given = registration()
    to, sealed, body = sealed_by(folder, alg, given)
    before = json.loads(given.text)
    assert opens.guest(body) == before["guest"]
    photos = [opens.photo(body, named, photo.jpeg) for named, photo in zip(body["photos"], sealed.photos, strict=True)]
    assert photos == [photo.jpeg for photo in given.photos]
    kept = set(before) - {"guest", "photos", "salt"}
    assert {name: body[name] for name in kept} == {name: before[name] for name in kept}
    assert set(body) == kept | {"sealedGuest", "photos", "salt"}
    assert set(body["sealedGuest"]) == {"alg", "kid", "enc", "ct"}
    assert (body["sealedGuest"]["alg"], body["sealedGuest"]["kid"]) == (alg, to.kid)
    assert replace(sealed, text=b"", photos=()) == replace(given, text=b"", photos=())


@KINDS
def test_a_photo_is_named_by_what_is_sent_of_it(authority: tuple[Path, Receiver], alg: str) -> None:
    given = registration()
    _, sealed, body = sealed_by(authority[0], alg, given)
    assert [named["sha256"] for named in body["photos"]] == [
        hashlib.sha256(photo.jpeg).hexdigest() for photo in sealed.photos
    ]
    for photo in given.photos:
        assert hashlib.sha256(photo.jpeg).hexdigest().encode() not in sealed.text


@KINDS
def test_nothing_that_stays_confirms_a_guess_who_the_guest_is(authority: tuple[Path, Receiver], alg: str) -> None:
    """The salt that went into the text's hash as it was given goes with the guest."""
    given = registration()
    _, sealed, body = sealed_by(authority[0], alg, given)
    salt = json.loads(given.text)["salt"]
    assert salt.encode() not in sealed.text
    assert len(body["salt"]) == len(salt)
    for told in (NAME, NUMBER):
        assert told.encode() not in sealed.text
        assert base64.b64encode(told.encode())[:-4] not in sealed.text


@KINDS
@pytest.mark.parametrize("moved", [{"recordId": "0" * 36}, {"revision": 2}, {"op": "UP"}, {"hotelCode": "3101000000"}])
def test_a_guest_opens_in_no_other_record(authority: tuple[Path, Receiver], alg: str, moved: dict[str, Any]) -> None:
    folder, opens = authority
    _, sealed, body = sealed_by(folder, alg, registration())
    assert opens.guest(body | moved) is None
    assert opens.photo(body | moved, body["photos"][0], sealed.photos[0].jpeg) is None
    assert opens.photo(body, body["photos"][0], sealed.photos[1].jpeg) is None


@KINDS
@pytest.mark.parametrize("field", ["enc", "ct"])
def test_an_altered_guest_does_not_open(authority: tuple[Path, Receiver], alg: str, field: str) -> None:
    folder, opens = authority
    _, _, body = sealed_by(folder, alg, registration(photos=False))
    whole = base64.b64decode(body["sealedGuest"][field])
    for at in range(0, len(whole), 7):
        changed = base64.b64encode(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]).decode()
        assert opens.guest(body | {"sealedGuest": body["sealedGuest"] | {field: changed}}) is None
        short = base64.b64encode(whole[:at]).decode()
        assert opens.guest(body | {"sealedGuest": body["sealedGuest"] | {field: short}}) is None


@pytest.mark.parametrize(
    "sealed", [None, [], "x", {}, {"alg": X25519}, {"alg": X25519, "kid": "sandbox-x25519"}, {"enc": 1, "ct": None}]
)
def test_what_is_no_sealed_guest_is_none(authority: tuple[Path, Receiver], sealed: object) -> None:
    assert authority[1].guest({"sealedGuest": sealed}) is None


@KINDS
def test_the_same_guest_never_seals_to_the_same_bytes(authority: tuple[Path, Receiver], alg: str) -> None:
    given = registration(photos=False)
    assert len({sealed_by(authority[0], alg, given)[2]["sealedGuest"]["ct"] for _ in range(10)}) == 10


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{}", b'{"sealedGuest": {}}', b'{"guest": 7}'])
def test_a_record_without_a_guest_is_refused_and_told_without_its_text(
    authority: tuple[Path, Receiver], text: bytes
) -> None:
    given = replace(registration(photos=False), text=text)
    with pytest.raises(ContractError, match="with a guest"):
        recipient.load(authority[0] / FILES[X25519]).seal(given, HOTEL)


def test_keys_come_back_as_they_were_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    Receiver(tmp_path)
    public = {name: (tmp_path / name).read_bytes() for name in FILES.values()}
    _, _, body = sealed_by(tmp_path, HYBRID, registration(photos=False))
    assert Receiver(tmp_path).guest(body) is not None
    assert {name: (tmp_path / name).read_bytes() for name in FILES.values()} == public
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.key")} == {0}
