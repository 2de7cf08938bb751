"""SM2 as GB/T 32918 publishes it, and its keys as OpenSSL reads and writes them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from gmalglib.sm2 import SM2

from kiosk.errors import ConfigError
from kiosk.sm2 import IDENTITY, Sm2PrivateKey, Sm2PublicKey, is_sm2
from offline_queue.crypto import device_key

# GB/T 32918.5-2017, annexes A and C: the recommended curve
PRIVATE = Sm2PrivateKey(bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"))
POINT = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
NONCE = bytes.fromhex("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21")
"""Of both examples. The library takes random bytes as a number whose smallest byte comes first."""
R = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
S = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
SEALED = bytes.fromhex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)


def test_the_public_key_is_the_standards() -> None:
    assert PRIVATE.public_key().point.hex() == POINT


def test_a_signature_with_the_standards_nonce_is_the_standards() -> None:
    raw = SM2(sk=PRIVATE.secret, uid=IDENTITY, rnd_fn=lambda _: NONCE[::-1]).sign(b"message digest")
    assert raw.hex() == R + S


def test_the_standards_signature_is_verified_and_no_altered_one() -> None:
    signature = encode_dss_signature(int(R, 16), int(S, 16))
    key = PRIVATE.public_key()
    assert key.verify(signature, b"message digest")
    assert not key.verify(signature, b"message digests")
    for at in range(len(signature)):
        assert not key.verify(signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :], b"message digest")
        assert not key.verify(signature[:at], b"message digest")
    assert not key.verify(signature + b"\0", b"message digest")


def test_the_standards_ciphertext_opens_and_no_altered_one() -> None:
    assert PRIVATE.decrypt(SEALED) == b"encryption standard"
    for at in range(len(SEALED)):
        assert PRIVATE.decrypt(SEALED[:at] + bytes((SEALED[at] ^ 1,)) + SEALED[at + 1 :]) is None
        assert PRIVATE.decrypt(SEALED[:at]) is None


def test_encryption_with_the_standards_nonce_is_the_standards() -> None:
    point = PRIVATE.public_key().point
    assert SM2(pk=point, rnd_fn=lambda _: NONCE[::-1]).encrypt(b"encryption standard") == SEALED


def test_a_key_wraps_and_signs_differently_each_time() -> None:
    key = Sm2PrivateKey.generate()
    assert len({key.public_key().encrypt(b"k" * 16) for _ in range(20)}) == 20
    assert len({key.sign(b"x") for _ in range(20)}) == 20
    assert key.decrypt(key.public_key().encrypt(b"k" * 16)) == b"k" * 16
    assert key.secret.hex() not in repr(key)


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, b"\1" * 31, b"\1" * 33])
def test_what_is_no_private_key_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="not a private key"):
        Sm2PrivateKey(secret)


@pytest.mark.parametrize("point", [b"", b"\4" + bytes(64), bytes.fromhex(POINT)[:-1], bytes.fromhex("02" + POINT[2:])])
def test_what_is_no_point_of_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(ValueError, match="not a point"):
        Sm2PublicKey(point)


# ---- PEM, and the program that everybody has -------------------------------------------------------------------------


def test_a_key_is_read_as_it_was_written() -> None:
    key = Sm2PrivateKey.generate()
    assert Sm2PrivateKey.from_pem(key.to_pem()) == key
    assert Sm2PublicKey.from_pem(key.public_key().to_pem()) == key.public_key()
    assert is_sm2(key.to_pem())
    assert is_sm2(key.public_key().to_pem())


def test_a_damaged_key_file_is_refused_or_still_the_same_key() -> None:
    key = Sm2PrivateKey.generate()
    pem = key.to_pem()
    for at in range(len(pem)):
        try:
            assert Sm2PrivateKey.from_pem(pem[:at] + bytes((pem[at] ^ 1,)) + pem[at + 1 :]) == key
        except ValueError:
            continue


@pytest.mark.skipif(shutil.which("openssl") is None, reason="wants the openssl program")
def test_openssl_and_this_program_read_each_others_keys_and_signatures(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> str:
        done = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "key.pem")
    openssl("pkey", "-in", "key.pem", "-pubout", "-out", "key.pub")
    key = device_key.load(tmp_path / "key.pem")
    assert (key.algorithm, key.suite) == ("SM2-SM3", "gm")
    assert key.public_pem() == (tmp_path / "key.pub").read_bytes()
    (tmp_path / "told").write_bytes(b"a request")
    identity = ("-sigopt", f"distid:{IDENTITY.decode()}")
    openssl("dgst", "-sm3", "-sign", "key.pem", *identity, "-out", "theirs", "told")
    assert device_key.verify(key.public_pem(), (tmp_path / "theirs").read_bytes(), b"a request")
    (tmp_path / "ours").write_bytes(key.sign(b"a request"))
    assert "Verified OK" in openssl("dgst", "-sm3", "-verify", "key.pub", *identity, "-signature", "ours", "told")


# ---- the device's key ------------------------------------------------------------------------------------------------


def ed25519_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("pem", [ed25519_pem(), Sm2PrivateKey.generate().to_pem()], ids=["Ed25519", "SM2"])
def test_what_a_device_signed_is_verified_by_its_public_key_alone(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "device.key").write_bytes(pem)
    key = device_key.load(tmp_path / "device.key")
    signature, other = key.sign(b"told"), device_key.Sm2Key(Sm2PrivateKey.generate())
    assert device_key.verify(key.public_pem(), signature, b"told")
    assert not device_key.verify(key.public_pem(), signature, b"told!")
    assert not device_key.verify(other.public_pem(), signature, b"told")
    assert not device_key.verify(key.public_pem(), b"", b"told")


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff" * 99])
def test_a_file_that_is_no_device_key_is_told_without_its_content(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "device.key").write_bytes(pem)
    with pytest.raises(ConfigError, match=r"device\.key") as told:
        device_key.load(tmp_path / "device.key")
    assert "AAAA" not in str(told.value)
    with pytest.raises(ConfigError, match=r"absent\.key"):
        device_key.load(tmp_path / "absent.key")


def test_no_other_curve_is_taken_for_the_devices(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "device.key").write_bytes(pem)
    assert not is_sm2(pem)
    with pytest.raises(ConfigError, match="neither"):
        device_key.load(tmp_path / "device.key")
