"""Which format a payload is, by its form alone. Every payload gets an answer."""

from __future__ import annotations

import zlib

import base45
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import CredentialsSection
from kiosk.credentials.recognise import recognise
from kiosk.model import Reason, Refusal, ScannedCode

CONFIG = CredentialsSection(suishen_hosts=("suishen.sandbox.invalid",))
SUISHEN = b"https://suishen.sandbox.invalid/code?t=Zm9v_-"
EID = base45.b45encode(zlib.compress(b"whatever it may be"))


def test_each_format_takes_its_own_and_keeps_every_byte() -> None:
    assert recognise(SUISHEN, config=CONFIG) == ScannedCode("suishen", SUISHEN)
    assert recognise(EID, config=CONFIG) == ScannedCode("claim169", EID)


@pytest.mark.parametrize("level", range(10))
def test_every_zlib_level_is_recognised(level: int) -> None:
    payload = base45.b45encode(zlib.compress(b"x" * 90, level))
    assert recognise(payload, config=CONFIG) == ScannedCode("claim169", payload)


@pytest.mark.parametrize("formats", [("suishen",), ("claim169",), ()])
def test_a_format_that_is_not_configured_is_unknown(formats: tuple[str, ...]) -> None:
    config = CONFIG.model_copy(update={"formats": formats})
    taken = [recognise(payload, config=config) for payload in (SUISHEN, EID)]
    assert [answer.format for answer in taken if isinstance(answer, ScannedCode)] == list(formats)
    assert all(a == Refusal(Reason.CODE_UNKNOWN) for a in taken if isinstance(a, Refusal))


@pytest.mark.parametrize(
    "payload",
    [
        b"https://suishen.sandbox.invalid.evil.example/code?t=1",
        b"https://evil.example/suishen.sandbox.invalid",
        b"https://suishen.sandbox.invalid@evil.example/code?t=1",
        b"https://suishen.sandbox.invalid:8443/code?t=1",
        b"https://evil.example\\@suishen.sandbox.invalid/code",
        b"https://suishen.sandbox.invalid\t/code?t=1",
        b"https://suishen.sandbox.invalid./code?t=1",
        b"https://[broken/code?t=1",
        b"http://suishen.sandbox.invalid/code?t=1",
        b"https://suishen.sandbox.invalid/code?t=\xff",
        b"https:///code?t=1",
        b"https://",
    ],
)
def test_only_the_exact_host_over_https_is_a_suishen_code(payload: bytes) -> None:
    assert recognise(payload, config=CONFIG) == Refusal(Reason.CODE_HOST)


def test_the_host_is_compared_without_case_and_the_code_is_left_alone() -> None:
    payload = b"HTTPS://SuiShen.sandbox.invalid/code?t=AbC"
    assert recognise(payload, config=CONFIG) == ScannedCode("suishen", payload)


@pytest.mark.parametrize(("length", "fits"), [(2048, True), (2049, False), (4297, False)])
def test_a_suishen_code_has_at_most_2048_bytes(length: int, fits: bool) -> None:
    payload = SUISHEN.ljust(length, b"A")
    expected = ScannedCode("suishen", payload) if fits else Refusal(Reason.CODE_TOO_LARGE)
    assert recognise(payload, config=CONFIG) == expected


@pytest.mark.parametrize(
    "payload",
    [
        b"https://qr.alipay.com/abcdef123",
        b"HTTPS://QR.ALIPAY.COM/FKX0",
        b"wxp://f2f0abcdef",
        b"weixin://wxpay/bizpayurl?pr=abc",
        b"https://wx.tenpay.com/f2f?t=abc",
        b"https://qr.95516.com/00010000/01",
        b"281234567890123456",
        b"134567890123456789",
        b"6212345678901234567",
        b"00020101021226370014com.example.pay0115000000000000000",
    ],
)
def test_a_payment_code_is_named_as_one(payload: bytes) -> None:
    assert recognise(payload, config=CONFIG) == Refusal(Reason.CODE_PAYMENT)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"WIFI:S:lobby;T:WPA;P:none;;",
        b"110101199003070011",
        b"HELLO WORLD",
        b"\xff\xfe\x00",
        b"BEGIN:VCARD",
        EID.lower(),
        EID[1:],
        "随申码".encode(),
    ],
)
def test_anything_else_is_unknown(payload: bytes) -> None:
    assert recognise(payload, config=CONFIG) == Refusal(Reason.CODE_UNKNOWN)


@given(st.one_of(st.binary(max_size=5000), st.text(max_size=300).map(str.encode)))
def test_every_payload_gets_an_answer(payload: bytes) -> None:
    answer = recognise(payload, config=CONFIG)
    assert isinstance(answer, Refusal) or answer.payload == payload


@given(st.binary(max_size=400).map(lambda tail: b"https://" + tail))
def test_every_address_gets_an_answer(payload: bytes) -> None:
    answer = recognise(payload, config=CONFIG)
    assert isinstance(answer, Refusal)
    assert answer.reason in {Reason.CODE_HOST, Reason.CODE_PAYMENT}


def test_a_code_is_silent_about_itself() -> None:
    assert "Zm9v" not in repr(recognise(SUISHEN, config=CONFIG))
