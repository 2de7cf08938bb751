"""The legal record: exactly the agreed keys, the law's fields, and no record that the police would send back."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import KioskSection
from kiosk.model import (
    Case,
    Consent,
    FaceVerification,
    Identity,
    Reason,
    Refusal,
    Registration,
    RegistrationId,
    Reservation,
    ScannedCode,
    StaffDecision,
)
from kiosk.registration.code_tables import ADDRESS_NOT_GIVEN, ETHNICITIES, PROVINCES
from kiosk.registration.record import build, guest_code
from kiosk.registration.validators import PHOTO_BUDGET_BYTES
from kiosk.sandbox.police_rules import ABSENT, judge
from kiosk.sandbox.submission import Submission
from ui.screen.i18n import ethnicities

KIOSK = KioskSection()
NOW = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)
"""Half past midnight of 2 June in Shanghai."""
ID = RegistrationId("3f2b8c1e-5f0a-4a7e-9a51-0d8a4b1c2d3e")
SALT = bytes(range(16))
GUEST = Identity(
    "suishen", "甲·乙", "11010519491231002X", date(1949, 12, 31), "2",
    address="虚构市随住路1号", household_province="31",
)  # fmt: skip
STAY = Reservation("S-1", "C-1", "1208", "大床房", 1, date(2026, 6, 1), date(2026, 6, 3))
LIVE, REFERENCE = b"\xff\xd8\xff live \xff\xd9", b"\xff\xd8\xff reference \xff\xd9"
FACE = FaceVerification(0.7312345, 0.42, 0.98765, 0.55, "sface-1+minifas-2", LIVE, REFERENCE)
TOO_LARGE = LIVE[:3] + bytes(PHOTO_BUDGET_BYTES) + LIVE[-2:]
STAFF = StaffDecision("clerk7", "document_and_person_seen", NOW)
IDENTITY_CONSENT = Consent("c-id", "identity", "1", "zh-CN", "0" * 64, NOW)
FACE_CONSENT = Consent("c-face", "face", "1", "zh-CN", "0" * 64, NOW)
CASE = Case(
    code=ScannedCode("suishen", b"https://example.invalid/code"),
    identity_consent=IDENTITY_CONSENT,
    identity=GUEST,
    today=date(2026, 6, 2),
    reservation=STAY,
    confirmed=True,
    declared=(("ethnicity", "11"),),
    face_consent=FACE_CONSENT,
    verification=FACE,
)
BY_STAFF = replace(CASE, face_consent=None, verification=STAFF, no_face_because=Reason.FACE_DECLINED)


def registration(case: Case = CASE) -> Registration:
    built = build(case, KIOSK, NOW, ID, SALT)
    assert isinstance(built, Registration)
    return built


def record(case: Case = CASE) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(registration(case).text)
    return table


def with_guest(**changed: Any) -> Case:
    return replace(CASE, identity=replace(GUEST, **changed))


def test_a_record_has_exactly_the_agreed_keys_and_values() -> None:
    assert record() == {
        "recordId": ID,
        "revision": 1,
        "salt": "000102030405060708090a0b0c0d0e0f",
        "op": "CI",
        "stayId": "S-1",
        "hotelCode": "3101009999",
        "kioskId": "demo-01",
        "occurredAt": "2026-06-02T00:30:00+08:00",
        "capturedOffline": False,
        "guest": {
            "guestCode": guest_code("3101009999", NOW, ID),
            "policeStation": "310100990000",
            "occupantIndex": 1,
            "partySize": 1,
            "name": "甲·乙",
            "sex": "2",
            "ethnicity": "11",
            "birthDate": "1949-12-31",
            "idType": "11",
            "idNumber": "11010519491231002X",
            "divisionCode": "110105",
            "address": "虚构市随住路1号",
            "roomNo": "1208",
            "checkInAt": "2026-06-02T00:30:00+08:00",
            "plannedOutAt": "2026-06-03T12:00:00+08:00",
            "declared": ["ethnicity"],
            "householdProvince": "31",
        },
        "photos": [
            {"kind": "id", "sha256": hashlib.sha256(REFERENCE).hexdigest()},
            {"kind": "live", "sha256": hashlib.sha256(LIVE).hexdigest()},
        ],
        "verify": {
            "method": "code+face",
            "credential": "suishen",
            "identityConsentId": "c-id",
            "similarity": 0.7312,
            "similarityThreshold": 0.42,
            "padScore": 0.9877,
            "padThreshold": 0.55,
            "modelVersion": "sface-1+minifas-2",
            "consentId": "c-face",
        },
    }


def test_the_registration_carries_what_the_outbox_needs() -> None:
    built = registration()
    assert (built.record_id, built.revision, built.op, built.stay_id) == (ID, 1, "CI", "S-1")
    assert built.occurred_at == NOW
    assert [(photo.kind, photo.jpeg) for photo in built.photos] == [("id", REFERENCE), ("live", LIVE)]


def test_a_decision_of_staff_names_the_person_and_carries_no_photo_and_no_score() -> None:
    table = record(BY_STAFF)
    assert (table["photos"], table["photoAbsentReason"], registration(BY_STAFF).photos) == ([], "declined", ())
    assert table["verify"] == {
        "method": "code+staff",
        "credential": "suishen",
        "identityConsentId": "c-id",
        "operator": "clerk7",
        "resolution": "document_and_person_seen",
        "reason": "face.declined",
    }


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason.FACE_DECLINED, "declined"),
        (Reason.NO_PORTRAIT, "no_portrait"),
        (Reason.FACE_UNAVAILABLE, "no_camera"),
        (Reason.MINOR, "under_14"),
        (Reason.NOT_MATCHED, "face_not_completed"),
        (Reason.NO_FACE, "face_not_completed"),
        (None, "face_not_completed"),
    ],
)
def test_the_record_says_why_there_is_no_photo(reason: Reason | None, said: str) -> None:
    assert record(replace(BY_STAFF, no_face_because=reason))["photoAbsentReason"] == said
    assert said in ABSENT


def test_an_identity_verified_without_the_network_is_marked() -> None:
    assert record(with_guest(source="claim169"))["capturedOffline"] is True


def test_what_the_source_says_is_not_declared() -> None:
    guest = record(with_guest(ethnicity="01"))["guest"]
    assert (guest["ethnicity"], guest["declared"]) == ("01", [])


def test_no_household_no_key() -> None:
    assert "householdProvince" not in record(with_guest(household_province=None))["guest"]


def test_an_address_that_nobody_gave_is_not_invented() -> None:
    assert record(with_guest(address=None))["guest"]["address"] == f"北京市{ADDRESS_NOT_GIVEN}"


def test_the_dot_in_a_name_is_the_authoritys() -> None:
    assert record(with_guest(name="甲•乙"))["guest"]["name"] == "甲·乙"


@pytest.mark.parametrize(
    ("case", "codes"),
    [
        (replace(CASE, declared=()), "E24 guest.ethnicity"),
        (replace(CASE, declared=(("ethnicity", "57"),)), "E24 guest.ethnicity"),
        (with_guest(name="甲1"), "E22 guest.name"),
        (with_guest(name="甲" * 16), "E22 guest.name"),
        (with_guest(sex="3"), "E23 guest.sex, E302 guest.idNumber"),
        (with_guest(sex="1"), "E302 guest.idNumber"),
        (with_guest(birth_date=date(1949, 12, 30)), "E302 guest.idNumber"),
        (with_guest(id_number="110105194912310021"), "E27 guest.idNumber"),
        (with_guest(id_number="", nationality="FRA"), "E27 guest.idNumber"),
        (with_guest(id_number="110105209912310010", birth_date=date(2099, 12, 31), sex="1"), "E25 guest.birthDate"),
        (with_guest(address="路" * 71), "E29 guest.address"),
        (replace(CASE, reservation=replace(STAY, room_no=" ")), "E2A guest.roomNo"),
        (replace(CASE, reservation=replace(STAY, party_size=21)), "E306 guest.partySize"),
        (replace(CASE, reservation=replace(STAY, departure=date(2026, 6, 1))), "E20 guest.plannedOutAt"),
        (replace(CASE, verification=replace(FACE, live_photo=TOO_LARGE)), "E13 photos.live"),
        (replace(CASE, verification=replace(FACE, reference_photo=b"RIFF")), "E307 photos.id"),
        (replace(CASE, face_consent=None), "E400 a face was used without a consent"),
        (replace(CASE, identity_consent=None), "E400 the visit is not complete"),
        (replace(CASE, verification=None), "E400 the visit is not complete"),
        (replace(CASE, reservation=None), "E400 the visit is not complete"),
        (replace(CASE, identity=None), "E400 the visit is not complete"),
    ],
)  # fmt: skip
def test_what_the_police_would_send_back_is_no_record(case: Case, codes: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert build(case, KIOSK, NOW, ID, SALT) == Refusal(Reason.RECORD_INVALID)
    assert caplog.messages == [f"record {ID} was not built: {codes}"]
    assert "1949" not in caplog.text
    assert "甲" not in caplog.text


def test_a_photo_of_the_whole_budget_is_taken() -> None:
    case = replace(CASE, verification=replace(FACE, live_photo=TOO_LARGE[:-7] + TOO_LARGE[-2:]))
    assert isinstance(build(case, KIOSK, NOW, ID, SALT), Registration)


def test_the_same_case_gives_the_same_bytes() -> None:
    assert registration().text == registration().text


def test_the_hash_of_a_record_says_nothing_without_its_salt() -> None:
    other = build(CASE, KIOSK, NOW, ID, bytes(16))
    assert isinstance(other, Registration)
    assert hashlib.sha256(other.text).digest() != hashlib.sha256(registration().text).digest()


def test_guest_codes_of_one_hotel_differ_from_second_to_second_and_from_record_to_record() -> None:
    code = guest_code("3101009999", NOW, ID)
    assert len(code) == 22
    assert code.isdigit()
    assert code.startswith("3101009999")
    later = guest_code("3101009999", NOW.replace(second=1), ID)
    other = guest_code("3101009999", NOW, RegistrationId("3f2b8c1e-5f0a-4a7e-9a51-0d8a4b1c2d3f"))
    assert len({code, later, other}) == 3


@pytest.mark.parametrize("case", [CASE, BY_STAFF, with_guest(address=None, source="claim169", household_province=None)])
def test_the_sandbox_police_take_what_we_build(case: Case) -> None:
    built = registration(case)
    photos = {hashlib.sha256(photo.jpeg).hexdigest(): photo.jpeg for photo in built.photos}
    text = built.text.decode()
    digest = hashlib.sha256(built.text).hexdigest()
    submission = Submission(str(ID), 1, digest, text, json.loads(text), photos)
    assert judge(submission, NOW) is None


def test_the_code_tables_are_those_that_the_screen_shows() -> None:
    assert {code: name for code, name, _ in ethnicities.ETHNICITIES} == ETHNICITIES
    assert len(ETHNICITIES) == 56
    assert all(len(code) == 2 and code.isdigit() for code in PROVINCES)


TEXT = st.text(max_size=80)


@given(TEXT, TEXT, st.none() | TEXT, st.none() | TEXT, TEXT, TEXT)
def test_no_words_of_a_source_make_it_raise(
    name: str, number: str, address: str | None, ethnicity: str | None, sex: str, room: str
) -> None:
    identity = replace(
        GUEST, name=name, id_number=number or GUEST.id_number, address=address, ethnicity=ethnicity, sex=sex
    )
    case = replace(CASE, identity=identity, reservation=replace(STAY, room_no=room))
    assert isinstance(build(case, KIOSK, NOW, ID, SALT), Registration | Refusal)
