"""The hotel system: bookings by document number, phone tail or confirmation number, and the same as a csv file.

POST /v1/reservations/search  {documentNumber} | {reference}
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.sandbox.messages import NOT_HERE, Answer, BadRequest, Request
from kiosk.sandbox.people import PEOPLE, Person
from kiosk.sandbox.store import Database, Row

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHTS = 2

SCHEMA = """
CREATE TABLE IF NOT EXISTS booking (stay_id TEXT PRIMARY KEY, person TEXT NOT NULL, confirmation TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL, room_no TEXT NOT NULL, room_type TEXT NOT NULL, party_size INTEGER NOT NULL,
    arrival TEXT NOT NULL, departure TEXT NOT NULL, room_ready INTEGER NOT NULL, balance_due_fen INTEGER NOT NULL,
    status TEXT NOT NULL, guests TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS booking_person ON booking(person, status);
"""
HEADER = (
    "stay_id,confirmation,name,document_number,phone,room_no,room_type,party_size,arrival,departure,room_ready,"
    "balance_due_fen,status\n"
)


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that was just made."""

    stay_id: str
    confirmation: str = field(repr=False)
    former: tuple[str, ...]
    """Stays of the same person that ended for it."""


class Hotel:
    """Keeps the bookings of the invented people, in SQLite and in step with it as csv."""

    name = "hotel"

    def __init__(self, path: Path, csv_path: Path) -> None:
        self._store = Database(path, SCHEMA)
        self._csv_path = csv_path
        with self._store.transaction():
            for person in PEOPLE.values():
                self._book(person)
            self._write_csv()

    def answer(self, request: Request) -> Answer:
        """Carry out one call. Raises BadRequest."""
        if request.path != "/v1/reservations/search":
            return NOT_HERE
        if request.method != "POST":
            raise BadRequest("POST only", "E405", 405)
        wanted = request.json()
        if set(wanted) == {"documentNumber"}:
            (number,) = request.texts("documentNumber")
            found = [row for row in self._rows() if number in _documents(row)]
        elif set(wanted) == {"reference"}:
            (reference,) = request.texts("reference")
            found = self._by_reference(reference.strip())
        else:
            raise BadRequest("wants exactly one of documentNumber and reference")
        return Answer(200, {"reservations": [_wire(row) for row in found]})

    def book_anew(self, person: Person) -> Booked | None:
        """Give a person a fresh booking; the former one has checked out, those before it are forgotten.

        None for somebody who never books.
        """
        with self._store.transaction():
            booked = self._book(person)
            if booked is not None:
                self._write_csv()
        return booked

    def booking_of(self, person: Person) -> dict[str, object] | None:
        """Return the person's present booking as the server would."""
        row = self._store.one("SELECT * FROM booking WHERE person = ? AND status != 'CHECKED_OUT'", (person.key,))
        return _wire(row) if row is not None else None

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def _book(self, person: Person) -> Booked | None:
        if person.booking is None:
            return None
        self._store.run("DELETE FROM booking WHERE person = ? AND status = 'CHECKED_OUT'", (person.key,))
        former = self._store.all(
            "UPDATE booking SET status = 'CHECKED_OUT' WHERE person = ? AND status != 'CHECKED_OUT' RETURNING stay_id",
            (person.key,),
        )
        plan, today = person.booking, datetime.now(UTC).astimezone(SHANGHAI).date()
        stay_id, confirmation = f"S{secrets.token_hex(6).upper()}", f"SZ{secrets.randbelow(10**8):08d}"
        guest = {"name": plan.booked_as or person.name}
        if plan.names_the_document:
            guest["documentNumber"] = person.id_number
        guests = [guest, *({"name": name} for name in plan.party)]
        self._store.run(
            "INSERT INTO booking VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stay_id,
                person.key,
                confirmation,
                plan.phone,
                plan.room_no,
                plan.room_type,
                len(guests),
                today.isoformat(),
                (today + timedelta(days=NIGHTS)).isoformat(),
                plan.room_ready,
                plan.balance_due_fen,
                plan.status,
                json.dumps(guests, ensure_ascii=False),
            ),
        )
        return Booked(stay_id, confirmation, tuple(row["stay_id"] for row in former))

    def _rows(self) -> list[Row]:
        return self._store.all("SELECT * FROM booking ORDER BY rowid")

    def _by_reference(self, reference: str) -> list[Row]:
        if re.fullmatch(r"[0-9]{4}", reference):
            return self._store.all("SELECT * FROM booking WHERE substr(phone, -4) = ? ORDER BY rowid", (reference,))
        # With or without its letters: guests type on a keypad of digits
        either = "SELECT * FROM booking WHERE confirmation = ? COLLATE NOCASE OR ltrim(confirmation, 'SZ') = ?"
        return self._store.all(either, (reference, reference))

    def _write_csv(self) -> None:
        """Replace the file in one step: a reader sees the old one or the new one."""
        text = io.StringIO()
        text.write(HEADER)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(line for row in self._rows() for line in _lines(row))
        beside = self._csv_path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text.getvalue())
        beside.replace(self._csv_path)


def _documents(row: Row) -> set[str]:
    return {guest["documentNumber"] for guest in json.loads(row["guests"]) if "documentNumber" in guest}


def _wire(row: Row) -> dict[str, object]:
    return {
        "stayId": row["stay_id"],
        "confirmation": row["confirmation"],
        "guests": json.loads(row["guests"]),
        "phone": row["phone"],
        "roomNo": row["room_no"],
        "roomType": row["room_type"],
        "partySize": row["party_size"],
        "arrival": row["arrival"],
        "departure": row["departure"],
        "roomReady": bool(row["room_ready"]),
        "balanceDueFen": row["balance_due_fen"],
        "status": row["status"],
    }


def _lines(row: Row) -> Iterator[list[object]]:
    """One line per guest."""
    for guest in json.loads(row["guests"]):
        yield [
            row["stay_id"],
            row["confirmation"],
            guest["name"],
            guest.get("documentNumber", ""),
            row["phone"],
            row["room_no"],
            row["room_type"],
            row["party_size"],
            row["arrival"],
            row["departure"],
            "true" if row["room_ready"] else "false",
            row["balance_due_fen"],
            row["status"],
        ]
