"""What follows a check-in: each record says what changed, nothing more, and only what the authority would accept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import KioskSection
from kiosk.errors import ContractError
from kiosk.model import Registration, RegistrationId
from kiosk.registration import code_tables, later
from kiosk.registration.forms import Finding
from kiosk.registration.later import Act, Earlier, Unfit, Visitor
from kiosk.registration.later_rules import VOID_REASONS
from kiosk.registration.overseas import latin
from kiosk.registration.validators import findings
from kiosk.sandbox import police_tables
from kiosk.sandbox.police_beside import finding
from kiosk.sandbox.police_rules import judge
from kiosk.sandbox.police_store import Ledger
from kiosk.sandbox.submission import Batch, Submission
from tests.outbox_kit import ADDRESS, ID_PHOTO, LIVE_PHOTO, NAME, NUMBER, ROOM, SHANGHAI, new_id, registration
from tests.sandbox_kit import overseas_record

NOW = datetime.now(UTC).astimezone(SHANGHAI).replace(microsecond=0)
ACT = Act(KioskSection(), NOW + timedelta(minutes=1), "clerk7", bytes(range(16)))
PHOTOS = {hashlib.sha256(photo).hexdigest(): photo for photo in (ID_PHOTO, LIVE_PHOTO)}
VISITOR = Visitor("访其人", "11", "310199198808080012", ROOM, "c-9")


def checked_in(**guest: Any) -> Registration:
    return registration(occurred_at=NOW, **guest)


def standing(*records: Registration) -> Earlier:
    return Earlier.standing([record.text for record in records])


def made(built: later.Built) -> Registration:
    assert isinstance(built, Registration), built
    return built


def body(built: later.Built) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(made(built).text)
    return told


def police_word(built: later.Built) -> object:
    record = made(built)
    text, digest = record.text.decode(), hashlib.sha256(record.text).hexdigest()
    return judge(Submission(record.record_id, record.revision, digest, text, json.loads(text), {}), ACT.at)


def every(earlier: Earlier) -> list[later.Built]:
    return [
        later.room_change(earlier, "1209", ACT),
        later.extension(earlier, NOW + timedelta(days=5), ACT),
        later.check_out(earlier, ACT),
        later.void(earlier, "no_show", ACT),
    ]


def test_each_follows_its_record_and_carries_no_photo() -> None:
    first = checked_in()
    for built in every(standing(first)):
        record = made(built)
        assert (record.record_id, record.revision, record.stay_id) == (first.record_id, 2, first.stay_id)
        assert record.photos == ()
        assert body(built)["op"] == record.op


def test_the_police_take_each_of_them() -> None:
    assert [police_word(built) for built in every(standing(checked_in()))] == [None] * 4
    assert police_word(later.correction(standing(checked_in()), {"name": "林随安安"}, ACT)) is None
    came = later.visitor_in(standing(checked_in()), VISITOR, RegistrationId(new_id()), ACT)
    assert police_word(came) is None
    assert police_word(later.visitor_out(standing(made(came)), ACT)) is None


def test_what_changed_names_nobody() -> None:
    for built in every(standing(checked_in())):
        text = made(built).text.decode()
        assert not [personal for personal in (NAME, NUMBER, ADDRESS) if personal in text]


def test_all_but_a_correction_can_be_made_when_the_text_is_erased() -> None:
    bare = Earlier(new_id(), 3, "S-1")
    assert [made(built).revision for built in every(bare)] == [4] * 4
    refused = later.correction(bare, {"name": "林随安"}, ACT)
    assert isinstance(refused, Unfit)
    assert {"guest.idNumber", "guest.birthDate", "verify"} <= {finding.field for finding in refused.findings}
    again = {**json.loads(checked_in().text)["guest"], "name": "林随安安"}
    read_again = later.correction(bare, again, ACT, consent_id="c-2")
    assert police_word(read_again) is None


def test_a_correction_is_the_whole_record_as_it_stands() -> None:
    first = checked_in()
    moved = made(later.room_change(standing(first), "1209", ACT))
    longer = made(later.extension(standing(first, moved), NOW + timedelta(days=5), ACT))
    mended = body(later.correction(standing(longer, first, moved), {"name": "林随安安", "declared": None}, ACT))
    was = json.loads(first.text)["guest"]
    changes = {"name": "林随安安", "roomNo": "1209", "plannedOutAt": (NOW + timedelta(days=5)).isoformat()}
    assert mended["guest"] == {name: value for name, value in {**was, **changes}.items() if name != "declared"}
    assert (mended["revision"], mended["op"], mended["photos"]) == (4, "UP", [])
    assert mended["verify"]["operator"] == "clerk7"
    assert mended["verify"]["identityConsentId"] == "c-1"


def test_a_room_change_says_from_where_if_that_is_known() -> None:
    first = checked_in()
    moved = made(later.room_change(standing(first), "1209", ACT))
    assert body(moved_again := later.room_change(standing(first, moved), "1301", ACT))["guest"] == {
        "roomNo": "1301",
        "fromRoomNo": "1209",
    }
    assert made(moved_again).revision == 3


def test_a_guest_from_overseas_checks_out_as_one() -> None:
    text = json.dumps(overseas_record()).encode()
    assert made(later.check_out(Earlier.standing([text]), ACT)).op == "JC"
    assert police_word(later.check_out(Earlier.standing([text]), ACT)) is None
    assert made(later.check_out(Earlier(new_id(), 1, "S-1", overseas=True), ACT)).op == "JC"


@pytest.mark.parametrize(
    ("build", "finding"),
    [
        (lambda e: later.room_change(e, " ", ACT), Finding("E2A", "guest.roomNo")),
        (lambda e: later.room_change(e, ROOM, ACT), Finding("E2A", "guest.roomNo")),
        (lambda e: later.extension(e, NOW - timedelta(days=1), ACT), Finding("E20", "guest.plannedOutAt")),
        (lambda e: later.extension(e, NOW + timedelta(days=400), ACT), Finding("E20", "guest.plannedOutAt")),
        (lambda e: later.void(e, "bored", ACT), Finding("E400", "guest.voidReason")),
        (lambda e: later.check_out(e, replace(ACT, operator=" ")), Finding("E400", "verify.operator")),
        (lambda e: later.correction(e, {"name": "林4"}, ACT), Finding("E22", "guest.name")),
        (lambda e: later.correction(e, {"name": None}, ACT), Finding("E22", "guest.name")),
        (lambda e: later.correction(e, {"validTo": "2000-01-01"}, ACT), Finding("E303", "guest.validTo")),
        (lambda e: later.visitor_in(e, replace(VISITOR, consent_id=""), RegistrationId(new_id()), ACT),
         Finding("E400", "guest.consentId")),
        (lambda e: later.visitor_in(e, replace(VISITOR, id_number="7"), RegistrationId(new_id()), ACT),
         Finding("E27", "guest.idNumber")),
        (lambda e: later.visitor_in(e, VISITOR, RegistrationId(e.record_id), ACT),
         Finding("E21", "guest.visitedRecordId")),
    ],
)  # fmt: skip
def test_what_a_person_must_mend_is_told_by_field(build: Any, finding: Finding) -> None:
    assert build(standing(checked_in())) == Unfit((finding,))


def test_a_visitor_has_a_record_of_their_own() -> None:
    guest = standing(checked_in())
    own = RegistrationId(new_id())
    came = made(later.visitor_in(guest, VISITOR, own, ACT))
    assert (came.record_id, came.revision, came.op, came.stay_id) == (own, 1, "VI", guest.stay_id)
    assert json.loads(came.text)["guest"]["visitedRecordId"] == guest.record_id
    left = replace(ACT, at=ACT.at + timedelta(hours=2))
    for known in (standing(came), Earlier(own, 1, guest.stay_id)):
        gone = body(later.visitor_out(known, left))
        assert (gone["revision"], gone["op"], list(gone["guest"])) == (2, "VI", ["outAt"])
        assert datetime.fromisoformat(gone["guest"]["outAt"]) == left.at


@pytest.mark.parametrize("texts", [[], [b"{"], [b"[]"], [b'{"revision": 1}'], [b"\xff"]])
def test_what_is_no_record_is_refused_without_being_quoted(texts: list[bytes]) -> None:
    with pytest.raises(ContractError):
        Earlier.standing(texts)
    with pytest.raises(ContractError) as refused:
        standing(checked_in(), checked_in())
    assert NAME not in str(refused.value)


def test_a_record_as_it_stands_does_not_print_the_guest() -> None:
    text = repr(standing(checked_in())) + repr(VISITOR) + repr(ACT)
    assert not [personal for personal in (NAME, NUMBER, ADDRESS, VISITOR.name, VISITOR.id_number) if personal in text]


def test_a_sealed_guest_can_check_out_but_is_corrected_from_the_document_only() -> None:
    record = json.loads(checked_in().text)
    del record["guest"]
    sealed = Earlier.standing([json.dumps({**record, "sealedGuest": {"ct": ""}}).encode()])
    assert sealed.guest == {}
    assert police_word(later.check_out(sealed, ACT)) is None
    assert isinstance(later.correction(sealed, {"name": "林随安"}, ACT), Unfit)


def test_salt_of_another_length_is_a_mistake_of_ours() -> None:
    with pytest.raises(ContractError, match="salt"):
        later.check_out(standing(checked_in()), replace(ACT, salt=b"short"))


def test_the_reasons_of_a_void_are_the_authoritys() -> None:
    assert set(VOID_REASONS) == set(police_tables.VOID_REASONS)


# ---- overseas --------------------------------------------------------------------------------------------------------


def test_both_ends_find_the_same_fault_in_a_guest_from_overseas() -> None:
    whole = overseas_record()
    assert findings(whole, ()) == ()
    for field, value, code in [
        ("surnameLatin", "Müller", "EJW1"),
        ("surnameLatin", "", "EJW1"),
        ("nationality", "Germany", "EJW2"),
        ("visaType", "", "EJW3"),
        ("stayUntil", "2020-01-01", "EJW4"),
        ("entryDate", "2999-01-01", "EJW5"),
        ("visaNumber", "", "EJW6"),
        ("entryPort", "", "ERJKA"),
        ("stayReason", "", "ETLSY"),
        ("issuedAt", " ", "EQFD"),
        ("documentNumber", "", "E27"),
        ("documentType", "", "E26"),
        ("givenLatin", None, "E22"),
        ("sex", "", "E23"),
    ]:
        broken = overseas_record(**{f"guest__{field}": value})
        assert findings(broken, ()) == (Finding(code, f"guest.{field}"),), field
        text = json.dumps(broken)
        said = judge(Submission(broken["recordId"], 1, "", text, broken, {}), NOW)
        assert said is not None
        assert (said.code, said.field) == (code, f"guest.{field}")


def test_no_visa_number_is_needed_where_no_visa_is() -> None:
    assert findings(overseas_record(guest__visaType="MQ", guest__visaNumber=""), ()) == ()


def test_a_guest_from_hong_kong_needs_the_chinese_name_too() -> None:
    permit = overseas_record(guest__documentType="16", guest__nationality="CHN", guest__nameCn="")
    assert findings(permit, ()) == (Finding("E22", "guest.nameCn"),)
    permit["guest"]["nameCn"] = "港来客"
    assert findings(permit, ()) == ()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Müller", "MUELLER"),
        ("Ｓｍｉｔｈ", "SMITH"),
        ("bin  Abdullah", "BIN ABDULLAH"),
        ("Weiß", "WEISS"),
        ("O'Neil-Åberg", "O'NEIL-AABERG"),
    ],
)
def test_a_latin_name_is_written_as_the_machine_readable_zone_writes_it(given: str, written: str) -> None:
    assert latin(given) == written


# ---- the authority's tables ------------------------------------------------------------------------------------------


def saved(folder: Path, tables: object) -> code_tables.CodeTables:
    (folder / code_tables.FILE).write_text(json.dumps({"version": "7", "tables": tables}), encoding="utf-8")
    return code_tables.load(folder)


def test_the_authoritys_tables_win(tmp_path: Path) -> None:
    tables = saved(tmp_path, {"rooms": {"1": "1"}, "ethnicity": {"01": "汉"}, "division": {"310100": "沪"}})
    assert (tables.version, tables.rooms, tables.provinces) == ("7", {"1"}, {"31"})
    record = json.loads(checked_in().text)
    assert Finding("ENOROOM", "guest.roomNo") in findings(record, (), tables)
    record["guest"] |= {"roomNo": "1", "ethnicity": "02"}
    assert Finding("E24", "guest.ethnicity") in findings(record, (), tables)
    assert isinstance(later.room_change(Earlier(new_id(), 1, "S"), "2", replace(ACT, tables=tables)), Unfit)


def test_an_overseas_guests_codes_are_the_authoritys(tmp_path: Path) -> None:
    tables = saved(tmp_path, {"country": {"JPN": "日本"}, "visa": {"MQ": "免签"}, "port": {"SHA": "虹桥"}})
    found = {finding.code for finding in findings(overseas_record(), (), tables)}
    assert found == {"EJW2", "EJW3", "ERJKA"}


def test_tables_that_are_absent_or_broken_leave_what_is_built_in(tmp_path: Path) -> None:
    assert code_tables.load(tmp_path) == code_tables.BUILT_IN
    assert saved(tmp_path, {"ethnicity": {}, "rooms": []}) == replace(code_tables.BUILT_IN, version="7")
    (tmp_path / code_tables.FILE).write_bytes(b"\xff{")
    assert code_tables.load(tmp_path) == code_tables.BUILT_IN


# ---- any stay --------------------------------------------------------------------------------------------------------

STEPS = st.one_of(
    st.sampled_from(["1209", "1301", "1302"]).map(lambda room: ("RC", room)),
    st.integers(2, 20).map(lambda days: ("EX", days)),
    st.sampled_from(["林随安安", "林安", "欧阳·随安"]).map(lambda name: ("UP", name)),
)


@given(st.lists(STEPS, max_size=8), st.sampled_from(["CC", "VD"]), st.booleans())
def test_whatever_happens_in_a_stay_the_police_take_it_in_order(
    steps: list[tuple[str, Any]], end: str, overseas: bool
) -> None:
    ledger = Ledger(None)
    try:
        first = json.dumps(overseas_record(), ensure_ascii=False).encode() if overseas else checked_in().text
        texts, expected = [first], dict(json.loads(first)["guest"])
        assert said(ledger, first) is None
        for op, value in [*steps, (end, None)]:
            earlier = Earlier.standing(texts)
            assert earlier.guest == expected
            built = follow(earlier, op, value)
            if op == "RC" and expected["roomNo"] == value:
                assert isinstance(built, Unfit)
                continue
            texts.append(made(built).text)
            expected |= changes(op, value, overseas)
            assert said(ledger, texts[-1]) is None
    finally:
        ledger.close()


def follow(earlier: Earlier, op: str, value: Any) -> later.Built:
    match op:
        case "RC":
            return later.room_change(earlier, value, ACT)
        case "EX":
            return later.extension(earlier, NOW + timedelta(days=value), ACT)
        case "UP":
            return later.correction(earlier, {"nameCn" if earlier.overseas else "name": value}, ACT)
        case "VD":
            return later.void(earlier, "mistake", ACT)
        case _:
            return later.check_out(earlier, ACT)


def changes(op: str, value: Any, overseas: bool) -> dict[str, str]:
    match op:
        case "RC":
            return {"roomNo": value}
        case "EX":
            return {"plannedOutAt": (NOW + timedelta(days=value)).isoformat()}
        case "UP":
            return {"nameCn" if overseas else "name": value}
        case _:
            return {}


def said(ledger: Ledger, text: bytes) -> object:
    """Report it as the only one of its batch; what the police find wrong with it."""
    record = json.loads(text)
    photos = PHOTOS if record["photos"] else {}
    digest, batch = hashlib.sha256(text).hexdigest(), new_id()
    sub = Submission(record["recordId"], record["revision"], digest, text.decode(), record, photos)
    assert ledger.known(sub) is None
    found = judge(sub, ACT.at) or finding(ledger.store, sub)
    ledger.take_in(Batch(batch, [sub]), "", "demo-01", NOW.isoformat())
    ledger.note(batch, 0, ledger.accept(sub, None, NOW.isoformat(), ""))
    return found
