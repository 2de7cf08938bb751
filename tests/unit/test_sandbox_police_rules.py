"""Each rule of the sandbox's police endpoint by its code: one record keeps them all, one change breaks one."""

from __future__ import annotations

import copy
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.sandbox import police_later, police_overseas
from kiosk.sandbox.messages import BadRequest
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.police_beside import finding
from kiosk.sandbox.police_forms import Finding
from kiosk.sandbox.police_rules import COMMON, MAX_PHOTO_BYTES, RULES, WHOLE_RECORD, judge
from kiosk.sandbox.police_store import Ledger
from kiosk.sandbox.police_tables import ERRORS, ETHNICITIES, PROVINCES
from kiosk.sandbox.submission import MAX_TEXT_BYTES, parse
from tests.sandbox_kit import JPEG, SHANGHAI, content_hash, item, overseas_record, sample_record
from tests.unit.test_sandbox_later_rules import GUESTS, later

NOW = datetime.now(UTC).astimezone(SHANGHAI)
TOMORROW = (NOW + timedelta(days=1)).isoformat()
LONG_AGO = (NOW - timedelta(days=40)).isoformat()
WITH_FACE = {
    "method": "code+face",
    "credential": "suishen",
    "identityConsentId": "c-1",
    "similarity": 0.7,
    "similarityThreshold": 0.42,
    "padScore": 0.9,
    "padThreshold": 0.55,
    "modelVersion": "m-1",
    "consentId": "c-2",
}


def found(record: dict[str, Any], photos: tuple[bytes, ...] = ()) -> Finding | None:
    return judge(parse(item(record, photos)), NOW)


def with_photos(*photos: bytes, **changes: Any) -> dict[str, Any]:
    sent = item(sample_record(), photos)
    kinds = ["id", "live", "id"]
    listed = [{"kind": kind, "sha256": name} for kind, name in zip(kinds, sent["photos"], strict=False)]
    return sample_record(photos=listed, photoAbsentReason=None, verify=WITH_FACE, **changes)


def test_the_sample_keeps_every_rule_with_and_without_a_face() -> None:
    assert found(sample_record()) is None
    assert found(with_photos(JPEG, JPEG + JPEG), (JPEG, JPEG + JPEG)) is None


@pytest.mark.parametrize("key", [key for key in PEOPLE if key != "minor"])
def test_every_adult_of_the_sandbox_can_be_registered(key: str) -> None:
    assert found(sample_record(PEOPLE[key])) is None


@pytest.mark.parametrize(
    ("code", "field", "changes"),
    [
        ("E400", "record", {"salt": "short"}),
        ("E400", "record", {"op": "XX"}),
        ("E400", "record", {"op": ["CI"]}),
        ("E400", "record", {"capturedOffline": "no"}),
        ("E400", "record", {"stayId": ""}),
        ("E400", "record", {"guest": []}),
        ("E400", "record", {"verify": None}),
        ("E400", "verify", {"verify__method": "look"}),
        ("E400", "verify", {"verify__identityConsentId": ""}),
        ("E400", "verify", {"verify__operator": ""}),
        ("E400", "verify", {"verify": {**WITH_FACE, "consentId": None}}),
        ("E400", "verify", {"verify": {**WITH_FACE, "modelVersion": ""}}),
        ("E20", "occurredAt", {"occurredAt": TOMORROW}),
        ("E20", "occurredAt", {"occurredAt": datetime.now(UTC).isoformat()}),
        ("E20", "guest.checkInAt", {"guest__checkInAt": LONG_AGO}),
        ("E20", "guest.checkInAt", {"guest__checkInAt": "yesterday"}),
        ("E20", "guest.plannedOutAt", {"guest__plannedOutAt": NOW.isoformat()[:10]}),
        ("E20", "guest.plannedOutAt", {"guest__plannedOutAt": (NOW - timedelta(days=1)).isoformat()}),
        ("E21", "guest.guestCode", {"guest__guestCode": "3101009999" + "0" * 11}),
        ("E21", "guest.guestCode", {"guest__guestCode": "3101008888" + "0" * 12}),
        ("E21", "hotelCode", {"hotelCode": "3101008888"}),
        ("E22", "guest.name", {"guest__name": ""}),
        ("E22", "guest.name", {"guest__name": "林" * 16}),
        ("E22", "guest.name", {"guest__name": "林4安"}),
        ("E22", "guest.name", {"guest__name": None}),
        ("E23", "guest.sex", {"guest__sex": "3"}),
        ("E23", "guest.sex", {"guest__sex": "1"}),
        ("E23", "guest.sex", {"guest__sex": 2}),
        ("E24", "guest.ethnicity", {"guest__ethnicity": "57"}),
        ("E24", "guest.ethnicity", {"guest__ethnicity": ""}),
        ("E25", "guest.birthDate", {"guest__birthDate": "1990-13-01"}),
        ("E25", "guest.birthDate", {"guest__birthDate": "2990-01-01"}),
        ("E26", "guest.idType", {"guest__idType": "14"}),
        ("E27", "guest.idNumber", {"guest__idNumber": "310199199001010027"}),
        ("E27", "guest.idNumber", {"guest__idNumber": "31019919900101002"}),
        ("E28", "guest.divisionCode", {"guest__divisionCode": "99"}),
        ("E28", "guest.divisionCode", {"guest__divisionCode": "990101"}),
        ("E29", "guest.address", {"guest__address": " "}),
        ("E29", "guest.address", {"guest__address": "路" * 71}),
        ("E2A", "guest.roomNo", {"guest__roomNo": ""}),
        ("ENOROOM", "guest.roomNo", {"guest__roomNo": "9999"}),
        ("E302", "guest.birthDate", {"guest__birthDate": "1990-01-02"}),
        ("E306", "guest.partySize", {"guest__partySize": 0}),
        ("E306", "guest.partySize", {"guest__occupantIndex": 2}),
        ("E306", "guest.partySize", {"guest__partySize": True}),
        ("E307", "photoAbsentReason", {"photoAbsentReason": None}),
        ("E307", "photoAbsentReason", {"photoAbsentReason": "bored"}),
    ],
)
def test_one_change_breaks_one_rule(code: str, field: str, changes: dict[str, Any]) -> None:
    assert found(sample_record(**changes)) == Finding(code, field)


@pytest.mark.parametrize("name", ["欧阳·随安", "Aygül Ömer", "买买提·阿不都热合曼"])
def test_names_of_every_people_of_the_country_are_names(name: str) -> None:
    assert found(sample_record(guest__name=name)) is None


def test_a_minor_wants_a_guardian() -> None:
    record = sample_record(PEOPLE["minor"])
    assert found(record) == Finding("E305", "guest.guardianName")
    record["guest"] |= {"guardianName": "童监护", "guardianPhone": "19900000001"}
    assert found(record) is None


def test_a_photo_must_be_the_one_that_the_record_names() -> None:
    record = with_photos(JPEG)
    assert found(record, ()) == Finding("E301", "photos")
    assert found(record, (JPEG, JPEG + JPEG)) == Finding("E301", "photos")
    sent = item(record, (JPEG,))
    (name,) = sent["photos"]
    sent["photos"][name] = "/9j/"
    assert judge(parse(sent), NOW) == Finding("E301", "photos")


def test_a_photo_is_a_jpeg_of_at_most_30_kb() -> None:
    large = b"\xff\xd8\xff" + bytes(MAX_PHOTO_BYTES) + b"\xff\xd9"
    assert found(with_photos(large), (large,)) == Finding("E13", "photos")
    for other in (b"GIF89a", JPEG[:-2], JPEG[2:]):
        assert found(with_photos(other), (other,)) == Finding("E307", "photos")


def test_a_later_revision_carries_no_photo_again() -> None:
    record = with_photos(JPEG, revision=2)
    assert found(record, (JPEG,)) == Finding("E301", "photos")
    assert found({**record, "photos": []}) is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {"record": {"recordId": str(uuid.uuid4())}},
        {"record": "{"},
        {"record": "[]"},
        {"record": '"\ud800"'},
        {"record": json.dumps({"recordId": "7", "revision": 1})},
        {"record": json.dumps({"recordId": str(uuid.uuid4()), "revision": 0})},
        {"record": json.dumps({"recordId": str(uuid.uuid4()), "revision": True})},
        {"record": json.dumps({"recordId": str(uuid.uuid4()), "revision": 2**63})},
        {"record": json.dumps(sample_record()), "photos": []},
        {"record": json.dumps(sample_record()), "photos": {"a": "no base64!"}},
    ],
)
def test_an_item_that_cannot_be_answered_about_is_no_batch(broken: object) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(broken)
    assert refused.value.answer.body["code"] == "E400"


def test_a_text_that_is_too_long_is_refused_before_it_is_judged() -> None:
    with pytest.raises(BadRequest) as refused:
        parse(item(sample_record(guest__address="路" * MAX_TEXT_BYTES)))
    assert (refused.value.answer.status, refused.value.answer.body["code"]) == (413, "E13")


def test_the_hash_is_of_the_exact_bytes() -> None:
    sent = item(sample_record())
    assert parse(sent).content_hash == content_hash(sent)
    respaced = {**sent, "record": sent["record"].replace(", ", ",  ", 1)}
    assert parse(respaced).content_hash != content_hash(sent)


def test_every_code_has_words_and_every_table_is_whole() -> None:
    every = (COMMON, WHOLE_RECORD, RULES, police_overseas.RULES, *police_later.RULES.values())
    assert {code for rules in every for code, _, _ in rules} <= set(ERRORS)
    assert list(ETHNICITIES) == [f"{number:02d}" for number in range(1, 57)]
    assert {"31": "上海", "33": "浙江", "34": "安徽"}.items() <= PROVINCES.items()


def test_a_submission_does_not_print_the_guest() -> None:
    record = sample_record()
    text = repr(parse(item(record)))
    assert record["guest"]["name"] not in text
    assert record["guest"]["idNumber"] not in text


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WHOLE = {"CI": sample_record(), "JI": overseas_record(), **{op: later(op) for op in GUESTS}}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_no_json_makes_the_police_stumble(op: str, data: st.DataObject) -> None:
    """A judge that raises would end the thread that judges, and nobody would hear of it."""
    record = copy.deepcopy(WHOLE[op])
    part = record["guest"] if data.draw(st.booleans()) else record
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JUNK)
    ledger = Ledger(None)
    try:
        sub = parse({"record": json.dumps(record), "photos": {}})  # half a character comes escaped
        if judge(sub, NOW) is None and finding(ledger.store, sub) is None:
            ledger.accept(sub, None, NOW.isoformat(), "")
    except BadRequest:
        pass
    finally:
        ledger.close()
