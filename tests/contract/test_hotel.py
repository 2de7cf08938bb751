"""Both reservation adapters against the sandbox's hotel: the same bookings over HTTPS and from the dropped file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.config import Config, ReservationsSection
from kiosk.errors import GatewayNonsense, GatewayUnavailable
from kiosk.model import Identity, Reason, Refusal, Reservation
from kiosk.ports import Reservations
from kiosk.reservations import csv, simulated
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.process import SandboxProcess
from tests.contract.scripted import Scripted

pytestmark = pytest.mark.timeout(90)

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()


def identity(key: str) -> Identity:
    person = PEOPLE[key]
    return Identity("suishen", person.name, person.id_number, person.birth_date, person.sex)


def config(sandbox: SandboxProcess) -> Config:
    info = sandbox.info
    return Config(
        reservations=ReservationsSection(
            url=info.hotel_url,
            ca_file=info.ca_file,
            client_cert_file=info.client_cert_file,
            client_key_file=info.client_key_file,
            csv_path=info.csv_path,
            timeout_s=1,
        )
    )


@pytest.fixture(params=["simulated", "csv"])
def hotel(request: pytest.FixtureRequest, sandbox: SandboxProcess) -> Iterator[Reservations]:
    if request.param == "csv":
        yield csv.make(config(sandbox))
        return
    made = simulated.make(config(sandbox))
    yield made
    made.close()


def test_a_guest_is_found_by_document(hotel: Reservations, sandbox: SandboxProcess) -> None:
    booked = sandbox.booking("shen")
    assert booked is not None
    found = hotel.find(identity("shen"), None)
    assert isinstance(found, Reservation)
    assert (found.stay_id, found.confirmation) == (booked["stayId"], booked["confirmation"])
    assert (found.room_no, found.room_type, found.party_size) == ("907", "大床房", 1)
    assert (found.room_ready, found.balance_due_fen) == (True, 0)
    assert found.arrival <= TODAY < found.departure


def test_a_fresh_booking_takes_the_place_of_the_former(hotel: Reservations, sandbox: SandboxProcess) -> None:
    before = hotel.find(identity("lin"), None)
    sandbox.issue_suishen("lin")
    after = hotel.find(identity("lin"), None)
    assert isinstance(before, Reservation)
    assert isinstance(after, Reservation)
    assert before.stay_id != after.stay_id


def test_a_booking_by_telephone_is_found_by_tail_or_confirmation(hotel: Reservations, sandbox: SandboxProcess) -> None:
    guest, booked = identity("byphone"), sandbox.booking("byphone")
    assert booked is not None
    assert hotel.find(guest, None) == Refusal(Reason.NO_RESERVATION)
    number = str(booked["confirmation"])
    by_tail, by_number = hotel.find(guest, "7391"), hotel.find(guest, number.lower())
    assert isinstance(by_tail, Reservation)
    assert by_tail == by_number == hotel.find(guest, number.lstrip("SZ"))


@pytest.mark.parametrize(
    ("person", "reference", "reason"),
    [
        ("walkin", None, Reason.NO_RESERVATION),
        ("walkin", "1208", Reason.NAME_DIFFERS),
        ("walkin", "0000", Reason.NO_RESERVATION),
        ("namediffers", "4821", Reason.NAME_DIFFERS),
        ("inhouse", None, Reason.ALREADY_IN_HOUSE),
    ],
)
def test_who_has_no_booking_of_their_own_is_refused(
    hotel: Reservations, person: str, reference: str | None, reason: Reason
) -> None:
    assert hotel.find(identity(person), reference) == Refusal(reason)


@pytest.mark.parametrize(
    ("person", "seen"),
    [
        ("party", {"party_size": 2, "room_type": "双床房"}),
        ("balance", {"balance_due_fen": 18800}),
        ("notready", {"room_ready": False}),
    ],
)
def test_what_staff_must_settle_is_in_the_reservation(hotel: Reservations, person: str, seen: dict[str, Any]) -> None:
    found = hotel.find(identity(person), None)
    assert isinstance(found, Reservation)
    assert {name: getattr(found, name) for name in seen} == seen


def test_a_guest_without_a_number_is_looked_for_by_reference_only(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_timeout")
    hotel = simulated.make(config(sandbox))
    assert hotel.find(replace(identity("lin"), id_number=""), None) == Refusal(Reason.NO_RESERVATION)
    hotel.close()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("hotel_timeout", GatewayUnavailable),
        ("hotel_error", GatewayUnavailable),
        ("hotel_truncated", GatewayUnavailable),
        ("hotel_drip", GatewayUnavailable),
        ("hotel_unknown_ca", GatewayUnavailable),
        ("hotel_nonsense", GatewayNonsense),
    ],
)
def test_a_hotel_system_that_fails_is_told_without_the_guest(
    sandbox: SandboxProcess, fault: str, expected: type[Exception]
) -> None:
    hotel = simulated.make(config(sandbox))
    sandbox.fault(fault)
    guest = identity("lin")
    with pytest.raises(expected) as caught:
        hotel.find(guest, None)
    assert guest.id_number not in str(caught.value)
    hotel.close()


def test_a_connection_that_ends_once_costs_nothing(sandbox: SandboxProcess) -> None:
    hotel = simulated.make(config(sandbox))
    sandbox.fault("hotel_cut", times=1)
    assert isinstance(hotel.find(identity("lin"), None), Reservation)
    hotel.close()


# ---- replies outside the agreed form ---------------------------------------------------------------------------------

BOOKING: dict[str, object] = {
    "stayId": "S1", "confirmation": "SZ1",
    "guests": [{"name": PEOPLE["lin"].name, "documentNumber": PEOPLE["lin"].id_number}],
    "phone": "19900001208", "roomNo": "1208", "roomType": "大床房", "partySize": 1, "arrival": TODAY.isoformat(),
    "departure": date(TODAY.year + 1, 1, 1).isoformat(), "roomReady": True, "balanceDueFen": 0, "status": "DUE_IN",
}  # fmt: skip


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[tuple[Scripted, Reservations]]:
    script = Scripted(tmp_path)
    section = ReservationsSection(url=script.server.url, timeout_s=1, **script.tls.model_dump())
    hotel = simulated.make(Config(reservations=section))
    yield script, hotel
    hotel.close()
    script.server.close()


SEARCH = "/v1/reservations/search"


@pytest.mark.parametrize(
    "listed",
    [
        None,
        "none",
        [1],
        [{}],
        [{**BOOKING, "partySize": True}],
        [{**BOOKING, "guests": None}],
        [{**BOOKING, "guests": [7]}],
        [{**BOOKING, "guests": [{"name": 7}]}],
        [{**BOOKING, "arrival": "soon"}],
        [{**BOOKING, "roomReady": 1}],
        [{**BOOKING, "status": "MAYBE"}],
    ],
)
def test_bookings_without_their_form_are_nonsense(scripted: tuple[Scripted, Reservations], listed: object) -> None:
    script, hotel = scripted
    script.replies[SEARCH] = {"reservations": listed}
    with pytest.raises(GatewayNonsense, match="reservations"):
        hotel.find(identity("lin"), None)


def test_a_broken_booking_does_not_hide_a_good_one(
    scripted: tuple[Scripted, Reservations], caplog: pytest.LogCaptureFixture
) -> None:
    script, hotel = scripted
    script.replies[SEARCH] = {"reservations": [{**BOOKING, "partySize": 99}, BOOKING]}
    assert isinstance(hotel.find(identity("lin"), None), Reservation)
    assert "party_size is no whole number" in caplog.text
    assert PEOPLE["lin"].id_number not in caplog.text


def test_a_hotel_system_that_sends_more_than_was_asked_for_opens_no_strangers_booking(
    scripted: tuple[Scripted, Reservations],
) -> None:
    script, hotel = scripted
    script.replies[SEARCH] = {"reservations": [BOOKING]}
    assert hotel.find(identity("shen"), None) == Refusal(Reason.NO_RESERVATION)
    assert hotel.find(identity("shen"), "1208") == Refusal(Reason.NAME_DIFFERS)
    assert script.asked[-1].json() == {"reference": "1208"}
