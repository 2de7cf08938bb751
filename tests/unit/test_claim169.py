"""The signed e-ID QR: what is genuine is read, everything else is refused with its reason, and nothing raises."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.config import CredentialsSection
from kiosk.credentials import claim169, cose
from kiosk.credentials.issuer_keys import IssuerKey, load, read
from kiosk.credentials.recognise import recognise
from kiosk.model import Reason, Refusal, ScannedCode
from tests.unit.claim169_tokens import ISSUER, NOW, PERSON, Issuer, claims_of, packed

BROKEN, FORGED = Refusal(Reason.CODE_BROKEN), Refusal(Reason.CODE_FORGED)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def keys(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Mapping[bytes, IssuerKey]:
    folder = tmp_path_factory.mktemp("keys")
    issuer.pin(folder)
    return load(folder, allow_sandbox=True)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
@pytest.mark.parametrize("wrapping", ["tagged", "bare", "cwt"])
def test_a_genuine_code_gives_its_identity_map(algorithm: str, wrapping: str, tmp_path: Path) -> None:
    own = Issuer(algorithm)
    own.pin(tmp_path)
    parts: Any = own.cose(claims_of())
    if wrapping != "bare":
        parts = cbor2.CBORTag(18, parts)
    if wrapping == "cwt":
        parts = cbor2.CBORTag(61, parts)
    payload = packed(cbor2.dumps(parts))
    assert claim169.verify(payload, load(tmp_path, allow_sandbox=True), NOW) == PERSON
    assert recognise(payload, config=CredentialsSection()) == ScannedCode("claim169", payload)


def test_a_key_named_in_the_open_header_is_as_pinned_as_any(issuer: Issuer, keys: Mapping[bytes, IssuerKey]) -> None:
    code = issuer.code(header={1: -8}, loose={4: b"k1"})
    assert claim169.verify(code, keys, NOW) == PERSON


def forged_codes(issuer: Issuer) -> dict[str, bytes]:
    protected, loose, payload, signature = issuer.cose(claims_of())
    other = Issuer()
    unsigned = cbor2.dumps({1: -8, 4: b"k1"})
    return {
        "another key": other.code(),
        "payload altered": packed(
            cbor2.dumps([protected, loose, cbor2.dumps(claims_of({**PERSON, 4: "丙"})), signature])
        ),
        "header altered": packed(cbor2.dumps([cbor2.dumps({1: -8, 4: b"k1", 5: 1}), loose, payload, signature])),
        "signature cut": packed(cbor2.dumps([protected, loose, payload, signature[:63]])),
        "signature longer": packed(cbor2.dumps([protected, loose, payload, signature + b"0"])),
        "no signature": packed(cbor2.dumps([unsigned, {}, payload, b""])),
        "wrong issuer": issuer.code(claims_of(iss="https://someone.else.invalid")),
        "no issuer": issuer.code(claims_of(iss=None)),
        "unknown kid": issuer.code(header={1: -8, 4: b"k2"}),
        "no kid": issuer.code(header={1: -8}),
        "kid is text": issuer.code(header={1: -8, 4: "k1"}),
        "unknown algorithm": issuer.code(header={1: -37, 4: b"k1"}),
        "algorithm none": issuer.code(header={4: b"k1"}),
        "the other algorithm": issuer.code(header={1: -7, 4: b"k1"}),
        "algorithm in the open": issuer.code(header={4: b"k1"}, loose={1: -8}),
        "unknown critical header": issuer.code(header={1: -8, 2: [99], 4: b"k1"}),
        "expired and forged": other.code(claims_of(exp=1)),
    }


@pytest.mark.parametrize("name", sorted(forged_codes(Issuer())))
def test_what_is_not_genuine_is_forged(name: str, issuer: Issuer, keys: Mapping[bytes, IssuerKey]) -> None:
    assert claim169.verify(forged_codes(issuer)[name], keys, NOW) == FORGED


def test_an_elliptic_signature_of_zeros_is_forged(tmp_path: Path) -> None:
    own = Issuer("ES256")
    own.pin(tmp_path)
    protected, loose, payload, _ = own.cose(claims_of())
    code = packed(cbor2.dumps([protected, loose, payload, bytes(64)]))
    assert claim169.verify(code, load(tmp_path, allow_sandbox=True), NOW) == FORGED


AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"exp": AT - 59}, None),
        ({"exp": AT - 61}, Reason.CODE_EXPIRED),
        ({"exp": float(AT) - 3600.5}, Reason.CODE_EXPIRED),
        ({"nbf": AT + 59}, None),
        ({"nbf": AT + 61}, Reason.CODE_NOT_YET_VALID),
        ({"iat": AT + 3600}, Reason.CODE_NOT_YET_VALID),
        ({"nbf": None, "iat": None}, None),
        ({"exp": None}, Reason.CODE_BROKEN),
        ({"exp": True}, Reason.CODE_BROKEN),
        ({"exp": "never"}, Reason.CODE_BROKEN),
        ({"exp": float("nan")}, Reason.CODE_BROKEN),
        ({"exp": float("inf")}, Reason.CODE_BROKEN),
        ({"exp": 2**64}, Reason.CODE_BROKEN),
        ({"exp": 1e300}, None),
        ({"nbf": float("nan")}, Reason.CODE_BROKEN),
    ],
)
def test_time_is_judged_with_a_minutes_leeway(
    changed: dict[str, Any], expected: Reason | None, issuer: Issuer, keys: Mapping[bytes, IssuerKey]
) -> None:
    answer = claim169.verify(issuer.code(claims_of(**changed)), keys, NOW)
    assert answer == (PERSON if expected is None else Refusal(expected))


@pytest.mark.parametrize(
    "claims",
    [b"", b"\xff", [1, 2], claims_of(None), claims_of([1]), claims_of({1: {1: {1: {1: {1: {1: {1: {1: 1}}}}}}}})],
    ids=["empty", "no CBOR", "a list", "no map", "a list for a map", "too deep"],
)
def test_signed_nonsense_is_broken(claims: object, issuer: Issuer, keys: Mapping[bytes, IssuerKey]) -> None:
    assert claim169.verify(issuer.code(claims), keys, NOW) == BROKEN


def test_a_code_that_is_cut_or_no_such_code_is_broken(issuer: Issuer, keys: Mapping[bytes, IssuerKey]) -> None:
    code = issuer.code()
    spoiled = [code[:-1], code[:-3], code[:40], code + code, b"", b"6BF", code.lower(), base45.b45encode(b"no zlib")]
    assert {claim169.verify(one, keys, NOW) for one in spoiled} == {BROKEN}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        cbor2.dumps(1),
        cbor2.dumps([b"", {}, b"", b"", b""]),
        cbor2.dumps([b"", {}, "text", b""]),
        cbor2.dumps([b"\x01", {}, b"", b""]),
        cbor2.dumps(cbor2.CBORTag(98, [b"", {}, b"", b""])),
        b"\x84\x40\xa0\x40",
        b"\x9f\x40\xa0\x40\x40\xff",
        b"\x84\x40\xa2\x01\x01\x01\x02\x40\x40",
        b"\x84\x40\xa1\x01\xc2\x41\x01\x40\x40",
        cbor2.dumps([b"", {}, b"", b""]) + b"\x00",
    ],
)
def test_what_is_no_cose_sign1_is_broken(data: bytes, keys: Mapping[bytes, IssuerKey]) -> None:
    assert claim169.verify(packed(data), keys, NOW) == BROKEN


@pytest.mark.parametrize(
    "parts", [cbor2.CBORTag(16, [b"", {}, b"x"]), [b"", {}, b"x"], cbor2.CBORTag(96, [b"", {}, b"x", []])]
)
def test_an_encrypted_code_is_none_that_we_know(parts: object, keys: Mapping[bytes, IssuerKey]) -> None:
    assert claim169.verify(packed(cbor2.dumps(parts)), keys, NOW) == Refusal(Reason.CODE_UNKNOWN)


def test_a_bomb_is_never_inflated(keys: Mapping[bytes, IssuerKey], monkeypatch: pytest.MonkeyPatch) -> None:
    inflated: list[int] = []
    monkeypatch.setattr(cose, "read_sign1", lambda data: inflated.append(len(data)))
    bomb = packed(bytes(768 * 1024))
    assert len(bomb) < 4296
    assert claim169.verify(bomb, keys, NOW) == BROKEN
    assert inflated == []


def test_two_zlib_streams_are_not_one(issuer: Issuer, keys: Mapping[bytes, IssuerKey]) -> None:
    inside = cbor2.dumps(issuer.cose(claims_of()))
    code = base45.b45encode(zlib.compress(inside) + zlib.compress(b"more"))
    assert claim169.verify(code, keys, NOW) == BROKEN


CBOR = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=70),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(st.integers(0, 70), st.text(max_size=3), st.just(169)), inner, max_size=6),
        inner.map(lambda value: cbor2.CBORTag(18, value)),
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), CBOR.map(cbor2.dumps)))
def test_no_bytes_at_any_layer_make_it_raise(data: bytes) -> None:
    own = _PINNED[0]
    for payload in (data, base45.b45encode(data), packed(data), own.code(data)):
        answer = claim169.verify(payload, _PINNED[1], NOW)
        assert isinstance(answer, Refusal | dict)


@given(st.integers(0, 5000), st.integers(0, 255))
def test_one_changed_byte_is_never_genuine_with_other_content(place: int, value: int) -> None:
    own, pinned = _PINNED
    inside = bytearray(cbor2.dumps(own.cose(claims_of())))
    inside[place % len(inside)] = value
    answer = claim169.verify(packed(bytes(inside)), pinned, NOW)
    assert isinstance(answer, Refusal) or answer == PERSON


def _pinned() -> tuple[Issuer, Mapping[bytes, IssuerKey]]:
    own = Issuer()
    key = IssuerKey("k1", ISSUER, "EdDSA", own.key.public_key(), True, NOW - timedelta(1), NOW + timedelta(1))
    return own, {b"k1": key}


_PINNED = _pinned()


# ---- the pinned keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [NOW - timedelta(days=2), NOW + timedelta(days=2)])
def test_a_key_out_of_its_time_signs_nothing(at: Any, issuer: Issuer, keys: Mapping[bytes, IssuerKey]) -> None:
    lasting = claims_of(exp=AT + 10**7, nbf=None, iat=None)
    assert claim169.verify(issuer.code(lasting), keys, NOW) == PERSON
    assert claim169.verify(issuer.code(lasting), keys, at) == FORGED


def test_production_does_not_believe_a_sandbox_key(
    issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.pin(tmp_path)
    with caplog.at_level(logging.ERROR):
        assert load(tmp_path, allow_sandbox=False) == {}
    assert "sandbox key" in caplog.text
    issuer.pin(tmp_path, sandbox=False)
    assert set(load(tmp_path, allow_sandbox=False)) == {b"k1"}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"kid": "other"}, "file's name"),
        ({"alg": "PS256"}, "alg is none of"),
        ({"alg": "ES256"}, "no key for ES256"),
        ({"issuer": ""}, "issuer is missing"),
        ({"publicKeyPem": "no PEM"}, "no public key in PEM"),
        ({"notAfter": "2027-01-01"}, "time zone"),
        ({"notBefore": 3}, "notBefore is missing"),
    ],
)
def test_a_faulty_key_file_is_told_and_trusted_for_nothing(
    changed: dict[str, object], fault: str, issuer: Issuer, tmp_path: Path
) -> None:
    path = issuer.pin(tmp_path, **changed)
    with pytest.raises(ValueError, match=fault):
        read(path)
    assert load(tmp_path, allow_sandbox=True) == {}


def test_another_curve_is_no_key_for_es256(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    path = Issuer("ES256").pin(tmp_path, publicKeyPem=pem)
    with pytest.raises(ValueError, match="no key for ES256"):
        read(path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_a_key_file_that_is_no_object_is_left_out(text: str, issuer: Issuer, tmp_path: Path) -> None:
    issuer.pin(tmp_path)
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    assert set(load(tmp_path, allow_sandbox=True)) == {b"k1"}


def test_no_folder_no_keys(tmp_path: Path) -> None:
    assert load(None, allow_sandbox=True) == load(tmp_path / "absent", allow_sandbox=True) == {}
