"""A day's list of receipts proves something only when every line, the chain and the signature hold."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import ConfigError
from kiosk.sm2 import Sm2PrivateKey
from offline_queue.database.rows import Event
from offline_queue.delivery import receipts_list
from offline_queue.delivery.receipts_list import DayList, Listed
from offline_queue.states import EventState

KEY = Ed25519PrivateKey.generate()
DAY, BEFORE = "2026-06-01", "ab" * 32
AT = "2026-06-01T12:00:00+08:00"


def day_list(*lines: tuple[UUID, int, str], device: str = "demo-01") -> DayList:
    """A good list of (record, revision, receipt number)."""
    link, listed = BEFORE, []
    for record, revision, number in lines:
        line = Listed(record, revision, bytes(32), number, AT, "", device)
        link = receipts_list.following(link, line)
        listed.append(replace(line, chain=link))
    signature = KEY.sign(receipts_list.statement(DAY, len(listed), link))
    return DayList(DAY, len(listed), BEFORE, link, tuple(listed), signature)


def wire(told: DayList) -> dict[str, Any]:
    lines = [
        {
            "recordId": str(one.record_id),
            "revision": one.revision,
            "contentHash": one.content_hash.hex(),
            "receiptNo": one.receipt_no,
            "receivedAt": one.received_at,
            "chain": one.chain,
            "deviceId": one.device,
        }
        for one in told.listed
    ]
    signature = base64.b64encode(told.signature).decode()
    names = {"date": told.day, "count": told.count, "previous": told.previous, "head": told.head}
    return names | {"receipts": lines, "signature": signature}


def delivered(record: UUID, receipt: str = "R-1", state: EventState = EventState.DELIVERED, **more: Any) -> Event:
    values: dict[str, Any] = dict.fromkeys(Event.__slots__)
    known = {"record_id": record, "revision": 1, "receipt": receipt, "state": state, "content_hash": bytes(32)}
    return Event(**(values | known | more))


TWO = day_list((UUID(int=1), 1, "R-1"), (UUID(int=2), 1, "R-2"))


def test_a_good_list_is_read_and_proves_what_it_says() -> None:
    assert receipts_list.read(wire(TWO)) == TWO
    assert receipts_list.fault(TWO, DAY, KEY.public_key()) == ""
    empty = day_list()
    assert receipts_list.fault(empty, DAY, KEY.public_key()) == ""
    assert receipts_list.read(wire(empty)) == empty


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (replace(TWO, day="2026-06-02"), "is of another day"),
        (replace(TWO, count=3), "signature does not fit"),
        (replace(TWO, signature=bytes(64)), "signature does not fit"),
        (replace(TWO, listed=TWO.listed[:1]), "has not as many lines as it says"),
        (replace(TWO, listed=(TWO.listed[0], replace(TWO.listed[1], receipt_no="R-9"))), "chain breaks at line 2"),
        (replace(TWO, listed=(replace(TWO.listed[0], revision=2), TWO.listed[1])), "chain breaks at line 1"),
        (replace(TWO, listed=TWO.listed[::-1]), "chain breaks at line 1"),
        (replace(TWO, previous="cd" * 32), "chain breaks at line 1"),
    ],
)
def test_a_list_that_was_altered_proves_nothing(spoiled: DayList, says: str) -> None:
    assert receipts_list.fault(spoiled, DAY, KEY.public_key()) == says


def test_an_empty_list_cannot_hide_a_link() -> None:
    head = "cd" * 32
    forged = DayList(DAY, 0, BEFORE, head, (), KEY.sign(receipts_list.statement(DAY, 0, head)))
    assert receipts_list.fault(forged, DAY, KEY.public_key()) == "chain does not end at its head"


@pytest.mark.parametrize("name", ["date", "count", "previous", "head", "signature", "receipts"])
@pytest.mark.parametrize("value", [None, "x", -1, True, [7], {}, "*"])
def test_a_list_with_a_field_without_form_is_none(name: str, value: object) -> None:
    assert receipts_list.read(wire(TWO) | {name: value}) is None


@pytest.mark.parametrize("name", ["recordId", "revision", "contentHash", "receiptNo", "receivedAt", "chain"])
@pytest.mark.parametrize("value", [None, "", -1, True, [], "在逃"])
def test_one_bad_line_makes_the_whole_list_none(name: str, value: object) -> None:
    body = wire(TWO)
    body["receipts"][1][name] = value
    assert receipts_list.read(body) is None


@given(st.none() | st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.text()))
def test_anything_else_is_no_list(body: object) -> None:
    assert receipts_list.read(body) is None


def test_what_differs_is_found_on_both_sides() -> None:
    same, missing, other = delivered(UUID(int=1)), delivered(uuid4()), delivered(UUID(int=2), receipt="R-8")
    known = {event.record_id: event for event in (same, missing, other)}
    foreign = day_list((UUID(int=1), 1, "R-1"), (UUID(int=2), 1, "R-2"), (UUID(int=3), 1, "R-3"))
    found = receipts_list.compare(foreign, list(known.values()), lambda record, _: known.get(record), "demo-01")
    assert found.missing == (missing,)
    assert found.differing == (other,)
    assert [line.receipt_no for line in found.foreign] == ["R-3"]


@pytest.mark.parametrize(
    ("event", "differs"),
    [
        (delivered(UUID(int=1)), False),
        (delivered(UUID(int=1), receipt="R-2"), True),
        (delivered(UUID(int=1), content_hash=bytes(range(32))), True),
        (delivered(UUID(int=1), receipt=None, state=EventState.INFLIGHT), False),  # type: ignore[arg-type]
        (delivered(UUID(int=1), receipt=None, state=EventState.REJECTED), True),  # type: ignore[arg-type]
        (delivered(UUID(int=1), state=EventState.PURGED), False),
    ],
)
def test_a_record_on_its_way_contradicts_no_list_and_a_refused_one_does(event: Event, differs: bool) -> None:
    found = receipts_list.compare(day_list((UUID(int=1), 1, "R-1")), (), lambda record, _: event, "demo-01")
    assert (found.differing == (event,)) is differs
    assert found.foreign == ()


@pytest.mark.parametrize(("device", "foreign"), [("demo-01", 1), ("demo-02", 0), ("", 1)])
def test_only_what_bears_our_name_or_none_is_foreign(device: str, foreign: int) -> None:
    told = day_list((uuid4(), 1, "R-1"), device=device)
    assert len(receipts_list.compare(told, (), lambda record, _: None, "demo-01").foreign) == foreign


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-06-01T00:00:00+08:00", "2026-06-01"),
        ("2026-05-31T16:00:00Z", "2026-06-01"),
        ("2026-05-31T15:59:59Z", "2026-05-31"),
        (None, None),
        ("yesterday", None),
    ],
)
def test_a_receipts_day_is_shanghais(at: str | None, day: str | None) -> None:
    assert receipts_list.day_of(at) == day


def test_a_days_bounds_hold_its_moments() -> None:
    begin, end = receipts_list.bounds(date(2026, 6, 1))
    assert receipts_list.today(begin) == receipts_list.today(end - 1) == date(2026, 6, 1)
    assert receipts_list.today(end) == date(2026, 6, 2)


def test_a_public_key_is_read_and_anything_else_is_told(tmp_path: Any) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert receipts_list.load_key(file).public_bytes_raw() == KEY.public_key().public_bytes_raw()
    other = X25519PrivateKey.generate().public_key()
    file.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ConfigError, match="wants the authority's Ed25519 or SM2 key"):
        receipts_list.load_key(file)
    file.write_bytes(b"no key")
    with pytest.raises(ConfigError, match=r"receipts_key_file .*key\.pem"):
        receipts_list.load_key(file)


def test_an_authority_with_chinese_algorithms_signs_by_sm2(tmp_path: Any) -> None:
    key = Sm2PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(key.public_key().to_pem())
    public = receipts_list.load_key(tmp_path / "key.pem")
    good = day_list((uuid4(), 1, "R-1"))
    signed = replace(good, signature=key.sign(receipts_list.statement(good.day, good.count, good.head)))
    assert receipts_list.fault(signed, DAY, public) == ""
    assert receipts_list.fault(replace(signed, count=2), DAY, public) == "signature does not fit"
    assert receipts_list.fault(good, DAY, public) == "signature does not fit"
