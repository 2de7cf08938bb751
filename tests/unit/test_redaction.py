"""Nothing that names a guest passes into a text that is written down."""

from __future__ import annotations

import base64
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.redaction import RedactingFilter, mask_id_number, mask_name, redact

MALE, FEMALE = "110101199003070011", "11010519491231002X"
ID_LIKE = re.compile(r"\d{17}")
BASE45 = "6BFOXN%TS3DHPVO13J /G-/2YRVA.Q/R8VRU2FCJG96-Q8R54WE5M"

SEPARATORS = st.sampled_from(["", " ", "-", "X", "x", "*", ",", "/", "\n", "?", "=", "://", "a", "张", "%", "b'"])
NUMBERS = st.text(st.sampled_from("0123456789０１２３٣٤"), min_size=1, max_size=40)


@given(st.lists(st.tuples(NUMBERS, SEPARATORS)).map(lambda parts: "".join(map("".join, parts))))
def test_no_id_like_number_survives_a_row_of_numbers(text: str) -> None:
    assert not ID_LIKE.search(redact(text))


@given(st.text(max_size=60), st.sampled_from([MALE, FEMALE, FEMALE.lower(), MALE[:17]]), st.text(max_size=60))
def test_no_id_number_survives_any_text_around_it(before: str, number: str, after: str) -> None:
    told = redact(before + number + after)
    assert not ID_LIKE.search(told)
    assert number not in told


@given(st.sampled_from([MALE, FEMALE]), st.sampled_from([" ", "-", " - ", ".", "·", "\u3000", "\u00a0"]))
def test_an_id_number_in_groups_is_masked_like_one_in_a_row(number: str, gap: str) -> None:
    for groups in ((number[:6], number[6:14], number[14:]), (number[:4], number[4:8], number[8:12], number[12:])):
        told = redact(f"no. 12 {gap.join(groups)} seen")
        assert mask_id_number(number) in told
        assert number[6:14] not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"id {MALE}.", "id 110101********0011."),
        (f"id={FEMALE}", "id=110105********002X"),
        ("guest code 3101009999000000000001", "guest code 310100********0001"),
        ("１１０１０１１９９００３０７００１１", "１１０１０１********００１１"),
        ("call 13812345678 now", "call 138****5678 now"),
        ("call +86 138 1234 5678", "call +86 138****5678"),
        ("电话13812345678，房间0808", "电话138****5678，房间0808"),
        ("https://s.sh.gov.cn/code?t=opaque", "https://s.sh.gov.cn/…"),
        ("at https://user:word@s.sh.gov.cn:8443?t=a'b, twice", "at https://s.sh.gov.cn:8443/…, twice"),
        ("(https://127.0.0.1:8443)", "(https://127.0.0.1:8443)"),
        ("HTTPS://S.SH.GOV.CN/CODE#X", "HTTPS://S.SH.GOV.CN/…"),
        ("with url: /v1/codes?ticket=abc (Caused by", "with url: /v1/codes?… (Caused by"),
        ("alipays://platformapi/startapp?id=1", "alipays://platformapi/…"),
        ("passport E12345678 expired", "passport E1********78 expired"),
        ("护照号码：G87654321", "护照号码：G8********21"),
        (f"payload {BASE45}", "payload <53 base45>"),
        ("key " + "0f" * 16, "key <32 hex>"),
        ("got b'\\x00\\x01secret of the guest\\xff'", "got <bytes>"),
        ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "<MRZ>"),
        (
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\nrest",
            "<PEM PRIVATE KEY>\nrest",
        ),
        ("-----BEGIN EC PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw", "<PEM EC PRIVATE KEY>"),
    ],
)
def test_what_is_masked_and_how(text: str, told: str) -> None:
    assert redact(text) == told
    assert redact(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "record 3f2504e0-4f89-41d3-9a0c-0305e82c3301 put, revision 1",
        "record 13812345-4f89-41d3-9a0c-138123456789 put",
        "2026-06-01T12:00:00.123+08:00 WARNING kiosk.app: staff needed: number 317, face.declined",
        "took 1780000000 ms, 14 digits 20260601120000, fields 1 22 333 4444 55555 666666 7777777",
        'File "/opt/suizhu/lib/python3.11/site-packages/urllib3/connectionpool.py", line 787, in urlopen',
        "StaffSheetUnlockedByTheWrongOperatorError in kiosk/checkin/presentations",
        "PRAGMA JOURNAL_MODE WAL SYNCHRONOUS FULL USER VERSION CHECK",
    ],
)
def test_what_support_needs_stays_readable(text: str) -> None:
    assert redact(text) == text


@given(st.binary(min_size=36, max_size=300))
def test_an_encoded_blob_does_not_survive(data: bytes) -> None:
    text = data.hex()
    assert text not in redact(f"answer: {text}!")


def test_a_photo_in_base64_does_not_survive() -> None:
    text = base64.b64encode(bytes(range(256)) * 4).decode()
    assert redact(f'{{"portrait": "{text}"}}') == f'{{"portrait": "<{len(text)} base64>"}}'


@pytest.mark.parametrize(
    ("name", "masked"), [("", "*"), ("甲", "*"), ("张三", "张*"), ("欧阳修", "欧*修"), ("Anna Maria", "A*a")]
)
def test_a_name_shows_at_most_its_first_and_last_sign(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(("number", "masked"), [(MALE, "110101********0011"), ("E12345678", "E1********78")])
def test_a_document_number_handed_over_is_masked(number: str, masked: str) -> None:
    assert mask_id_number(number) == masked
    assert mask_id_number("12345") == "********"


def record(msg: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("kiosk", logging.ERROR, "x.py", 1, msg, args, info)


def told(of: logging.LogRecord) -> str:
    assert RedactingFilter().filter(of)
    return logging.Formatter().format(of)


def test_arguments_are_redacted_also_where_they_only_meet_in_the_message() -> None:
    assert told(record("id %s%s", MALE[:9], MALE[9:])) == "id 110101********0011"
    assert told(record("id %(id)s", {"id": MALE})) == "id 110101********0011"


def test_raw_bytes_are_told_by_their_length() -> None:
    assert told(record("payload %r", b"t=1")) == "payload '<3 bytes>'"
    assert told(record("payload %(p)s", {"p": bytearray(5)})) == "payload <5 bytes>"


def test_an_exception_and_its_causes_are_redacted() -> None:
    try:
        try:
            raise ValueError(f"number {FEMALE}")
        except ValueError as cause:
            raise KeyError("https://h.example/code?t=1") from cause
    except KeyError as error:
        of = record("broke", error=error)
    of.stack_info = f"Stack: {MALE}"
    text = told(of)
    assert "110105********002X" in text
    assert "110101********0011" in text
    assert "https://h.example/…" in text
    assert "test_redaction.py" in text
    assert not ID_LIKE.search(text)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError(MALE)


def test_a_record_that_cannot_be_told_is_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    assert "could not be put together" in told(record("id %d", MALE))
    assert "could not be put together" in told(record("%s", Unspeakable()))
    assert MALE not in told(record("broke", error=Unspeakable()))
    assert MALE not in capsys.readouterr().err


def test_the_filter_may_stand_before_several_handlers() -> None:
    of = record("id %s", MALE, error=ValueError(MALE))
    first = told(of)
    assert told(of) == first
    assert sys.getrefcount(of) < 5
    assert of.args is None
