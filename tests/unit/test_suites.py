"""The suites give what their standards publish, and whatever was touched does not open."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from offline_queue.crypto import suites
from offline_queue.crypto.sealing import Place, SealedPart, rewrap, seal, unseal
from offline_queue.crypto.suites import Suite, gm, intl
from offline_queue.keys import KioskKey

BOTH = pytest.mark.parametrize("suite", [intl, gm], ids=lambda suite: suite.NAME)
KEY, OTHER = KioskKey(bytes(range(32))), KioskKey(bytes(range(1, 33)))
PLACE = Place(UUID(int=7), 1, "CI", "text", "3101009999")


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


# ---- published vectors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_hashes_as_gbt_32905_says(message: bytes, digest: str) -> None:
    assert gm.digest(message).hex() == digest


def test_sm4_encrypts_as_gbt_32907_says() -> None:
    block = unhex("0123456789abcdeffedcba9876543210")
    cipher = Cipher(SM4(block), ECB()).encryptor()
    once = cipher.update(block)
    assert once.hex() == "681edf34d206965e86b3e94f536e4246"
    for _ in range(999_999):
        once = cipher.update(once)
    assert once.hex() == "595298c7c6fd271f0402f804c33d3f66"


RFC_8998 = {
    "key": "0123456789abcdeffedcba9876543210",
    "nonce": "00001234567800000000abcd",
    "aad": "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "plain": "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
    "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
    "sealed": "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec",
}


def test_sm4_gcm_seals_and_opens_as_rfc_8998_says() -> None:
    key, nonce, aad, plain, sealed = (unhex(text) for text in RFC_8998.values())
    assert gm.encrypt(key, nonce, plain, aad) == nonce + sealed
    assert gm.unseal(key, nonce + sealed, aad) == plain


def test_aes_256_gcm_opens_test_case_16_of_its_authors() -> None:
    key = unhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce, aad = unhex("cafebabefacedbaddecaf888"), unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = unhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
        "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
    )
    plain = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    assert intl.unseal(key, nonce + sealed, aad) == plain


def test_sha256_hashes_as_fips_180_says() -> None:
    assert intl.digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# ---- tampering -------------------------------------------------------------------------------------------------------


@BOTH
def test_whatever_was_sealed_opens_and_whatever_was_touched_does_not(suite: Suite) -> None:
    key, data, aad = bytes(range(suite.KEY_BYTES)), b"words of a guest", b"where they belong"
    sealed = suite.seal(key, data, aad)
    assert suite.unseal(key, sealed, aad) == data
    assert suite.unseal(key, sealed, aad + b"!") is None
    assert suite.unseal(bytes(suite.KEY_BYTES), sealed, aad) is None
    assert suite.unseal(key[:-1], sealed, aad) is None
    for at in range(len(sealed)):
        for bit in range(8):
            assert suite.unseal(key, sealed[:at] + bytes((sealed[at] ^ 1 << bit,)) + sealed[at + 1 :], aad) is None
        assert suite.unseal(key, sealed[:at], aad) is None
    assert suite.unseal(key, sealed + b"\0", aad) is None


@BOTH
def test_no_nonce_comes_twice(suite: Suite) -> None:
    key = bytes(suite.KEY_BYTES)
    assert len({suite.seal(key, b"", b"")[:12] for _ in range(500)}) == 500


@BOTH
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 40_960])
def test_a_part_of_any_size_opens_as_it_was(suite: Suite, size: int) -> None:
    data = random.Random(size).randbytes(size)
    part = seal(data, PLACE, KEY, suite)
    assert (part.suite, unseal(part, PLACE, KEY)) == (suite.NAME, data)


@BOTH
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
def test_a_part_that_was_moved_stays_shut(suite: Suite, elsewhere: Place) -> None:
    assert unseal(seal(b"words", PLACE, KEY, suite), elsewhere, KEY) is None


@BOTH
@pytest.mark.parametrize("field", ["sealed", "wrapped", "key_id"])
def test_a_part_with_a_flipped_bit_stays_shut(suite: Suite, field: str) -> None:
    part = seal(b"words of a guest", PLACE, KEY, suite)
    whole = getattr(part, field)
    for at in range(len(whole)):
        if isinstance(whole, str):
            changed: bytes | str = whole[:at] + ("0" if whole[at] != "0" else "1") + whole[at + 1 :]
        else:
            changed = whole[:at] + bytes((whole[at] ^ 0x10,)) + whole[at + 1 :]
        assert unseal(replace(part, **{field: changed}), PLACE, KEY) is None


@BOTH
def test_a_part_that_claims_another_suite_stays_shut(suite: Suite) -> None:
    part = seal(b"words", PLACE, KEY, suite)
    for other in {"intl", "gm", "rot13", ""} - {suite.NAME}:
        assert unseal(replace(part, suite=other), PLACE, KEY) is None


def test_no_two_algorithms_work_with_the_same_key() -> None:
    assert gm.wrapping_key(KEY.secret) not in KEY.secret
    assert len(gm.wrapping_key(KEY.secret)) == 16


def test_a_suite_is_found_by_its_name_and_no_other_module_is() -> None:
    assert suites.named("gm") is gm
    assert suites.named("intl") is intl
    assert [suites.named(name) for name in ("", "GM", "os", "../keys")] == [None] * 4


def test_what_the_first_version_sealed_still_opens() -> None:
    """Made by the program as it was before there were suites."""
    part = SealedPart(
        "text",
        unhex("0ead53e9ce359577bcca87ee37a4f3d39bdbeeaa40bbae1fda17e98f00ee0584f8aa2953eb61955cae64d9b0053f7722"),
        "kiosk:24382ea61b4c9e85",
        "a5b3345b22bcba5a",
        unhex(
            "1b98b88c583bf4bca925163746f2bb61914b54b452988f59dc48b981fa3103ce"
            "308bd9609a41b1bb4ddf5e2265b01574dd3c1d99da2613e72e2d84c6"
        ),
    )
    assert (part.recipient, part.suite) == (KEY.recipient, "intl")
    assert unseal(part, PLACE, KEY) == "随住 first version".encode()


# ---- rewrapping ------------------------------------------------------------------------------------------------------


@BOTH
def test_a_rewrapped_key_opens_the_same_bytes_and_the_old_key_no_longer_does(suite: Suite) -> None:
    part = seal(b"words", PLACE, KEY, suite)
    again = rewrap(part, PLACE, KEY, OTHER)
    assert again is not None
    assert (again.sealed, again.key_id, again.recipient) == (part.sealed, part.key_id, OTHER.recipient)
    assert len(again.wrapped) == len(part.wrapped)
    assert unseal(again, PLACE, OTHER) == b"words"
    assert unseal(again, PLACE, KEY) is None
    assert rewrap(part, replace(PLACE, revision=2), KEY, OTHER) is None
    assert rewrap(replace(part, suite="rot13"), PLACE, KEY, OTHER) is None
