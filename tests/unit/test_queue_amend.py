"""``./run queue amend``: a clerk says what became of a stay, and the record's next revision waits to be sent."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import KioskSection
from kiosk.errors import ContractError, OperationalError, OutboxUnavailable
from kiosk.model import RegistrationId
from kiosk.registration.code_tables import FILE
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry
from offline_queue.database.rows import COLUMNS
from offline_queue.database.verify import verify
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import (
    NAME,
    SHANGHAI,
    claim,
    deliver,
    event,
    opened,
    receipt,
    registration,
    reject,
    settle,
    state,
)
from tests.unit.queue_kit import Kiosk

pytestmark = pytest.mark.timeout(60)
KIOSK = KioskSection(state_dir=Path("/nonexistent"))
"""Without tables of the authority."""
BY = ("--operator", "li.na")


@pytest.fixture(params=["running", "stopped"])
def kiosk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=request.param == "running")) as made:
        yield made


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path / "var") as made:
        yield made


class Notes:
    """Stands where the audit does."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []

    def write(self, kind: str, **fields: str | float | bool | None) -> None:
        self.kept.append({"kind": kind, **fields})


def amend(owner: OutboxOwner, record: str, op: str, value: str = "", **more: Any) -> dict[str, Any]:
    """Ask as the socket does, and return the row."""
    answers = Answers(owner, audit=more.pop("audit", Notes()), kiosk=more.pop("config", KIOSK))
    (row,) = answers.rows(Inquiry("amend", record, op=op, value=value, operator=more.pop("operator", "li.na")), "uid 0")
    return row


def said(owner: OutboxOwner, record: str, revision: int) -> dict[str, Any]:
    text = owner.outbox.open_text(RegistrationId(record), revision)
    assert text is not None
    told: dict[str, Any] = json.loads(text)
    return told


def test_a_clerk_says_it_to_a_running_kiosk_or_to_a_stopped_ones_file(
    kiosk: Kiosk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("name=林随安安\n\nroomNo = 1208\n"))
    assert kiosk.asked("amend", kiosk.rejected, *BY, "--correct", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert (row["record"], row["revision"], row["op"], row["state"]) == (kiosk.rejected, 2, "UP", "READY")
    assert kiosk.asked("amend", kiosk.delivered, *BY, "--left") == 0
    assert "林" not in capsys.readouterr().out
    first, second = kiosk.audited("queue.amend")
    assert (first.fields["operator"], first.fields["op"], second.fields["op"]) == ("li.na", "UP", "CC")
    assert "林" not in (kiosk.state_dir / "audit.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("said", ["--room", "--until"])
def test_an_empty_value_is_no_correction(kiosk: Kiosk, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("name=林随安安\n"))  # what a correction would read
    with pytest.raises(ContractError, match=r"room missing|a time is written"):
        kiosk.asked("amend", kiosk.delivered, *BY, said, "")
    assert kiosk.audited("queue.amend") == []


def test_a_correction_of_a_rejected_record_supersedes_it(owner: OutboxOwner) -> None:
    record = owner.outbox.put(registration(roomNo="9999"))
    reject(owner, record, why="ENOROOM guest.roomNo")
    amend(owner, record, "UP", '{"roomNo": "1208", "partySize": "2"}')
    assert (state(owner, record), state(owner, record, 2)) == (EventState.SUPERSEDED, EventState.READY)
    assert (said(owner, record, 2)["guest"]["roomNo"], said(owner, record, 2)["guest"]["partySize"]) == ("1208", 2)


def test_what_was_rejected_changed_nothing(owner: OutboxOwner) -> None:
    record = owner.outbox.put(registration())
    deliver(owner, record)
    amend(owner, record, "RC", "9998")
    reject(owner, record, 2, why="ENOROOM guest.roomNo")
    amend(owner, record, "RC", "1209")
    assert state(owner, record, 2) is EventState.SUPERSEDED
    assert said(owner, record, 3)["guest"] == {"roomNo": "1209", "fromRoomNo": "1208"}


@pytest.mark.parametrize(
    ("op", "value", "told"),
    [
        ("RC", "", "room missing"),
        ("RC", "1208", "room missing"),
        ("EX", "tomorrow", "a time is written"),
        ("EX", "2020-01-01T12:00", "check-in time"),
        ("VD", "bored", "guest.voidReason"),
        ("UP", "{}", "FIELD=VALUE"),
        ("UP", "[1]", "FIELD=VALUE"),
        ("UP", '{"name": "4"}', "name"),
        ("UP", '{"nmae": "林随安"}', "no field nmae"),
        ("VI", '{"nmae": "林随安"}', "no field nmae"),
        ("CI", "", "amended by"),
    ],
)
def test_what_cannot_be_put_is_told_by_field_and_puts_nothing(
    owner: OutboxOwner, op: str, value: str, told: str
) -> None:
    record, notes = owner.outbox.put(registration()), Notes()
    with pytest.raises(ContractError, match=told) as refused:
        amend(owner, record, op, value, audit=notes)
    assert NAME not in str(refused.value)
    assert (owner.status().unsent, notes.kept) == (1, [])


def test_nothing_follows_a_void_and_only_a_correction_or_a_void_a_rejected_check_in(owner: OutboxOwner) -> None:
    gone = owner.outbox.put(registration())
    amend(owner, gone, "VD", "mistake")
    with pytest.raises(ContractError, match="void"):
        amend(owner, gone, "CC")
    refused = owner.outbox.put(registration())
    reject(owner, refused)
    with pytest.raises(ContractError, match=r"is rejected .*correct it or void it first"):
        amend(owner, refused, "CC")
    amend(owner, refused, "VD", "no_show")
    assert state(owner, refused) is EventState.SUPERSEDED


def test_a_correction_of_a_rejected_record_says_what_waited_for_it(owner: OutboxOwner) -> None:
    record = owner.outbox.put(registration(roomNo="9999", partySize=1))
    amend(owner, record, "RC", "1209")
    until = (datetime.now(SHANGHAI) + timedelta(days=3)).isoformat(timespec="seconds")
    amend(owner, record, "EX", until)
    amend(owner, record, "CC")
    reject(owner, record, why="E306 guest.partySize")
    left = said(owner, record, 4)["occurredAt"]
    with pytest.raises(ContractError, match="others wait for it"):
        amend(owner, record, "RC", "1301")
    notes = Notes()
    amend(owner, record, "UP", '{"partySize": "2"}', audit=notes)
    assert [(note["op"], note["revision"]) for note in notes.kept] == [("UP", 5), ("CC", 6)]
    assert [state(owner, record, n) for n in range(1, 5)] == [EventState.SUPERSEDED] * 4
    guest = said(owner, record, 5)["guest"]
    assert (guest["roomNo"], guest["plannedOutAt"], guest["partySize"]) == ("1209", until, 2)
    again = said(owner, record, 6)
    assert (again["op"], again["occurredAt"], again["guest"]) == ("CC", left, {"checkOutAt": left})
    assert (state(owner, record, 5), state(owner, record, 6)) == (EventState.READY, EventState.BLOCKED)
    deliver(owner, record, 5)
    deliver(owner, record, 6)
    assert owner.status().unsent == 0


def test_a_void_that_waits_for_a_rejected_check_in_is_said_again(owner: OutboxOwner) -> None:
    record = owner.outbox.put(registration())
    amend(owner, record, "VD", "mistake")
    reject(owner, record)
    with pytest.raises(ContractError, match="void"):
        amend(owner, record, "UP", '{"roomNo": "1209"}')
    amend(owner, record, "VD", "no_show")
    deliver(owner, record, 3)
    assert owner.status().unsent == 0


def test_a_void_that_no_key_opens_is_said_again(owner: OutboxOwner) -> None:
    record = owner.outbox.put(registration())
    deliver(owner, record)
    amend(owner, record, "VD", "mistake")
    lose_keys(owner, record, 2)
    assert claim(owner) == []
    amend(owner, record, "VD", "mistake")
    deliver(owner, record, 3)
    assert owner.status().unsent == 0


def test_what_no_key_opens_any_more_is_registered_again_or_void(owner: OutboxOwner) -> None:
    record, gone = owner.outbox.put(registration()), owner.outbox.put(registration())
    whole = {name: str(value) for name, value in said(owner, record, 1)["guest"].items() if name != "declared"}
    for lost in (record, gone):
        lose_keys(owner, lost)
        amend(owner, lost, "RC", "1209")
    assert claim(owner) == []
    with pytest.raises(ContractError, match="name"):
        amend(owner, record, "UP", '{"roomNo": "1209"}')
    with pytest.raises(ContractError, match="read the document again and say every field"):
        amend(owner, record, "UP", '{"roomNo": "1209"}')
    amend(owner, record, "UP", json.dumps({**whole, "roomNo": "1209", "consentId": "c-7"}))
    assert said(owner, record, 3)["verify"]["identityConsentId"] == "c-7"
    amend(owner, gone, "VD", "mistake")
    for mended in (record, gone):
        assert [state(owner, mended, n) for n in (1, 2)] == [EventState.SUPERSEDED] * 2
        deliver(owner, mended, 3)
    assert owner.status().unsent == 0
    assert verify(owner).faults == ()


def test_what_waits_for_a_lost_revision_is_said_by_a_correction(owner: OutboxOwner, tmp_path: Path) -> None:
    lost = registration()
    for revision in (2, 3):
        owner.outbox.put(registration(lost.record_id, revision, stay=lost.stay_id))
    with pytest.raises(ContractError, match=r"revision 1 is lost.*correct it or void it"):
        amend(owner, lost.record_id, "CC")
    with opened(tmp_path / "other") as other:
        other.outbox.put(lost)
        kept = event(other, lost.record_id)
        parts = other.call(lambda store: store.parts(kept))
    amend(owner, lost.record_id, "UP", '{"roomNo": "1209"}')
    amend(owner, lost.record_id, "CC")
    (taken,) = claim(owner)
    assert (taken.event.revision, taken.supersedes, taken.previous_receipt) == (4, 1, "")
    settle(owner, (taken.event, receipt("R-4")))
    columns = {name: getattr(kept, name, None) for name in COLUMNS.split(", ")}
    columns |= {"record": kept.record_id.bytes, "state": kept.state.value}

    def come_back(store: Store) -> None:
        with store.transaction():
            store.restore(columns, parts, 1.0)

    owner.call(come_back)  # too late: nobody waits for it, and it is not sent out of turn
    assert state(owner, lost.record_id) is EventState.SUPERSEDED
    (taken,) = claim(owner)
    assert (taken.event.revision, taken.event.op, taken.supersedes, taken.previous_receipt) == (5, "CC", None, "R-4")
    settle(owner, (taken.event, receipt("R-5")))
    assert owner.status().unsent == 0
    owner.outbox.put(registration(lost.record_id, 7, stay=lost.stay_id))
    assert state(owner, lost.record_id, 7) is EventState.BLOCKED, "nobody stands for the one before it"


def test_while_a_damaged_file_is_read_nothing_is_given_up(owner: OutboxOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    record = registration().record_id
    owner.outbox.put(registration(record, 2))
    monkeypatch.setattr(type(owner._keeper), "salvage_waits", True)
    with pytest.raises(OutboxUnavailable, match="salvaged"):
        amend(owner, record, "VD", "mistake")
    assert state(owner, record, 2) is EventState.BLOCKED


def lose_keys(owner: OutboxOwner, record: str, revision: int = 1) -> None:
    lost = event(owner, record, revision)

    def work(store: Store) -> None:
        store._conn.execute("UPDATE data_key SET wrapped = randomblob(length(wrapped)) WHERE event = ?", (lost.id,))

    owner.call(work)


def test_a_visitor_gets_a_record_of_their_own_and_leaves_by_it(owner: OutboxOwner) -> None:
    host = owner.outbox.put(registration())
    came = amend(owner, host, "VI", '{"name": "访其人", "idNumber": "310199198808080012", "consentId": "c-9"}')
    assert (came["revision"], came["op"], came["record"] != host) == (1, "VI", True)
    guest = said(owner, came["record"], 1)["guest"]
    assert (guest["visitedRecordId"], guest["roomNo"], guest["idType"]) == (host, "1208", "11")
    left = amend(owner, came["record"], "CC")
    assert (left["record"], left["revision"], left["op"]) == (came["record"], 2, "VI")
    reject(owner, came["record"], why="E22 guest.name")
    for op, value in (("UP", '{"name": "访其人人"}'), ("VI", '{"name": "访其人"}')):
        with pytest.raises(ContractError, match="visitor"):
            amend(owner, came["record"], op, value)
    amend(owner, came["record"], "VD", "mistake")
    assert [state(owner, came["record"], n) for n in (1, 2, 3)] == [EventState.SUPERSEDED] * 2 + [EventState.READY]
    with pytest.raises(ContractError, match=r"guest\.consentId"):
        amend(owner, host, "VI", '{"name": "访其人", "idNumber": "310199198808080012"}')


def test_an_unknown_record_or_clerk_is_refused(owner: OutboxOwner) -> None:
    with pytest.raises(ContractError, match="queue list"):
        amend(owner, "0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11", "CC")
    record = owner.outbox.put(registration())
    with pytest.raises(ContractError, match="operator"):
        amend(owner, record, "CC", operator="")
    with pytest.raises(OperationalError, match="audit"):
        amend(owner, record, "CC", audit=None)
    with pytest.raises(OperationalError, match="settings"):
        list(Answers(owner, audit=Notes()).rows(Inquiry("amend", record, op="CC", operator="li.na"), "uid 0"))
    assert owner.status().unsent == 1


def test_a_room_that_the_authority_does_not_know_is_found_here(owner: OutboxOwner, tmp_path: Path) -> None:
    tables = {"version": "7", "tables": {"rooms": {"1209": "1209"}}}
    (tmp_path / FILE).write_text(json.dumps(tables), encoding="utf-8")
    record = owner.outbox.put(registration())
    config = KIOSK.model_copy(update={"state_dir": tmp_path})
    with pytest.raises(ContractError, match="room unknown to the authority"):
        amend(owner, record, "RC", "1301", config=config)
    assert amend(owner, record, "RC", "1209", config=config)["state"] == "BLOCKED"


def test_values_stand_in_no_repr() -> None:
    assert "林" not in repr(Inquiry("amend", op="UP", value='{"name": "林随安"}'))
