"""What the sandbox's police want of what follows a check-in, of visitors and of sealed guests, rule by rule."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiosk.sandbox.police_beside import WARNINGS, finding
from kiosk.sandbox.police_forms import Finding
from kiosk.sandbox.police_rules import judge
from kiosk.sandbox.police_store import Ledger
from kiosk.sandbox.submission import Submission, parse
from tests.sandbox_kit import SHANGHAI, changed, item, overseas_record, sample_record

NOW = datetime.now(UTC).astimezone(SHANGHAI).replace(microsecond=0)
GUESTS: dict[str, dict[str, Any]] = {
    "RC": {"roomNo": "1209"},
    "EX": {"plannedOutAt": (NOW + timedelta(days=4)).isoformat()},
    "CC": {"checkOutAt": NOW.isoformat()},
    "JC": {"checkOutAt": NOW.isoformat()},
    "VD": {"voidReason": "no_show"},
    "VI": {
        "name": "访其人",
        "idType": "14",
        "idNumber": "E12345678",
        "visitedRecordId": str(uuid.uuid4()),
        "roomNo": "1208",
        "consentId": "c-1",
        "inAt": NOW.isoformat(),
    },
}


def later(op: str, **changes: Any) -> dict[str, Any]:
    record = sample_record(op=op, revision=1 if op == "VI" else 2, occurredAt=NOW.isoformat())
    record |= {"guest": dict(GUESTS[op]), "verify": {"method": "staff", "operator": "clerk"}}
    del record["photoAbsentReason"]
    return changed(record, **changes)


def sent(record: dict[str, Any]) -> Submission:
    return parse(item(record))


@pytest.mark.parametrize("op", list(GUESTS))
def test_each_operation_is_taken_when_it_says_what_changed(op: str) -> None:
    assert judge(sent(later(op)), NOW) is None


@pytest.mark.parametrize(
    ("op", "changes", "code", "field"),
    [
        ("RC", {"revision": 1}, "E400", "revision"),
        ("RC", {"guest__roomNo": ""}, "E2A", "guest.roomNo"),
        ("RC", {"guest__roomNo": "9999"}, "ENOROOM", "guest.roomNo"),
        ("RC", {"verify": {"method": "staff"}}, "E400", "verify"),
        ("RC", {"guest": {}}, "E400", "record"),
        ("RC", {"hotelCode": "3101008888"}, "E21", "hotelCode"),
        ("RC", {"occurredAt": (NOW + timedelta(days=1)).isoformat()}, "E20", "occurredAt"),
        ("EX", {"guest__plannedOutAt": NOW.isoformat()}, "E20", "guest.plannedOutAt"),
        ("EX", {"guest__plannedOutAt": (NOW + timedelta(days=999)).isoformat()}, "E20", "guest.plannedOutAt"),
        ("CC", {"guest__checkOutAt": "noon"}, "E20", "guest.checkOutAt"),
        ("JC", {"guest__checkOutAt": (NOW - timedelta(hours=1)).isoformat()}, "E20", "guest.checkOutAt"),
        ("VD", {"guest__voidReason": "because"}, "E400", "guest.voidReason"),
        ("VI", {"guest__name": "4"}, "E22", "guest.name"),
        ("VI", {"guest__idType": "99"}, "E26", "guest.idType"),
        ("VI", {"guest__idNumber": "E1"}, "E27", "guest.idNumber"),
        ("VI", {"guest__idType": "11"}, "E27", "guest.idNumber"),
        ("VI", {"guest__visitedRecordId": "nobody"}, "E21", "guest.visitedRecordId"),
        ("VI", {"guest__consentId": ""}, "E400", "guest.consentId"),
        ("VI", {"guest__inAt": ""}, "E20", "guest.inAt"),
        ("VI", {"guest__outAt": NOW.isoformat()}, "E20", "guest.inAt"),
        ("VI", {"revision": 2}, "E20", "guest.outAt"),
    ],
)
def test_one_change_breaks_one_rule(op: str, changes: dict[str, Any], code: str, field: str) -> None:
    assert judge(sent(later(op, **changes)), NOW) == Finding(code, field)


def test_a_document_that_expired_is_E303_and_one_without_end_is_not() -> None:
    yesterday = (NOW - timedelta(days=1)).date().isoformat()
    assert judge(sent(sample_record(guest__validTo=yesterday)), NOW) == Finding("E303", "guest.validTo")
    for good in ("长期", NOW.date().isoformat()):
        assert judge(sent(sample_record(guest__validTo=good)), NOW) is None


def test_a_correction_of_a_long_stay_may_name_a_check_in_of_last_month() -> None:
    long_ago = (NOW - timedelta(days=60)).isoformat()
    assert judge(sent(sample_record(op="UP", revision=2, guest__checkInAt=long_ago)), NOW) is None
    assert judge(sent(overseas_record(op="UP", revision=2, guest__checkInAt=long_ago)), NOW) is None


def test_a_guest_that_cannot_be_opened_is_refused_as_such() -> None:
    record = sample_record(sealedGuest={"alg": "none"})
    del record["guest"]
    assert judge(sent(record), NOW) == Finding("E400", "sealedGuest")


# ---- beside what was said before -------------------------------------------------------------------------------------


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    made = Ledger(None)
    yield made
    made.close()


def accept(ledger: Ledger, *records: dict[str, Any]) -> None:
    for record in records:
        ledger.accept(sent(record), None, NOW.isoformat(), "")


def test_what_follows_wants_a_check_in_and_no_end(ledger: Ledger) -> None:
    came = sample_record()
    same = {"recordId": came["recordId"], "stayId": came["stayId"]}
    out_of_turn = Finding("E400", "op")
    assert finding(ledger.store, sent(later("RC", **same))) == out_of_turn
    assert finding(ledger.store, sent(later("VD", **same))) is None
    accept(ledger, came)
    assert [finding(ledger.store, sent(later(op, **same))) for op in ("RC", "EX", "CC", "VD")] == [None] * 4
    accept(ledger, later("CC", **same))
    said = [finding(ledger.store, sent(later(op, **same, revision=3))) for op in ("RC", "EX", "CC", "VD")]
    assert said == [out_of_turn, out_of_turn, out_of_turn, None]
    accept(ledger, later("VD", **same, revision=3))
    assert finding(ledger.store, sent({**came, "op": "UP", "revision": 4})) == out_of_turn


def test_a_visitor_of_somebody_unknown_is_a_warning(ledger: Ledger) -> None:
    host = sample_record()
    visit = later("VI", guest__visitedRecordId=host["recordId"])
    assert finding(ledger.store, sent(visit)) == Finding("E21", "guest.visitedRecordId")
    assert Finding("E21", "guest.visitedRecordId") in WARNINGS
    accept(ledger, host)
    assert finding(ledger.store, sent(visit)) is None
    left = {**visit, "revision": 2, "guest": {"outAt": NOW.isoformat()}}
    assert finding(ledger.store, sent(left)) == Finding("E400", "op"), "who never came cannot leave"
    accept(ledger, visit)
    assert finding(ledger.store, sent(left)) is None


def test_a_visitor_is_no_occupant(ledger: Ledger) -> None:
    host = sample_record()
    accept(ledger, later("VI", stayId=host["stayId"]))
    assert finding(ledger.store, sent(host)) is None


def test_a_guest_from_overseas_is_known_by_the_document(ledger: Ledger) -> None:
    came = overseas_record(guest__partySize=2)
    accept(ledger, came)
    twin = overseas_record(stayId=came["stayId"], guest__partySize=2, guest__documentNumber="OTHER99")
    assert finding(ledger.store, sent(twin)) is None
    twin["guest"]["documentNumber"] = came["guest"]["documentNumber"]
    assert finding(ledger.store, sent(twin)) == Finding("E2B", "guest.documentNumber")
