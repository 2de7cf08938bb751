"""A record that is good by itself, judged beside its own earlier revisions and the records of others."""

from __future__ import annotations

from kiosk.sandbox.police_forms import Finding
from kiosk.sandbox.police_rules import CHECK_INS
from kiosk.sandbox.store import Database
from kiosk.sandbox.submission import Submission

WARNINGS = frozenset(
    {
        Finding("E304", "guest.idNumber"),
        Finding("E304", "guest.documentNumber"),
        Finding("E21", "guest.visitedRecordId"),
    }
)
"""With these a record is accepted all the same: two hotels, or two queues, may just be out of step."""


def finding(store: Database, sub: Submission) -> Finding | None:
    """Return what is wrong with it beside what was accepted before; one of ``WARNINGS`` is only that."""
    first = store.one("SELECT 1 FROM record WHERE record_id = ?", (sub.record_id,)) is None
    if sub.op in CHECK_INS or (sub.op == "UP" and first):  # an UP after a rejected check-in is one
        return _others(store, sub)
    return _earlier(store, sub)


def identity_of(sub: Submission) -> str:
    """Return who this is by the number of a document; empty if the record does not say it."""
    return str(sub.guest.get("idNumber") or sub.guest.get("documentNumber") or "")


def _others(store: Database, sub: Submission) -> Finding | None:
    """Judge a check-in beside the records of other people and other stays."""
    number, stay = identity_of(sub), str(sub.record["stayId"])
    whose = "guest.idNumber" if "idNumber" in sub.guest else "guest.documentNumber"
    others = store.all(
        "SELECT DISTINCT record_id, id_number FROM record WHERE stay_id = ? AND record_id != ? AND NOT departed"
        " AND op != 'VI'",
        (stay, sub.record_id),
    )
    if any(row["id_number"] == number for row in others):
        return Finding("E2B", whose)
    if len({row["record_id"] for row in others}) + 1 > sub.guest["partySize"]:
        return Finding("E306", "guest.partySize")
    elsewhere = store.one(
        "SELECT 1 FROM record WHERE id_number = ? AND stay_id != ? AND record_id != ? AND NOT departed AND op != 'VI'",
        (number, stay, sub.record_id),
    )
    return Finding("E304", whose) if elsewhere else None


def _earlier(store: Database, sub: Submission) -> Finding | None:
    """Judge what follows beside what the record said before, and a visitor beside whom they visit."""
    if sub.op == "VI" and sub.revision == 1:
        visited = str(sub.guest["visitedRecordId"])
        there = store.one("SELECT 1 FROM record WHERE record_id = ? AND NOT departed", (visited,))
        return None if there else Finding("E21", "guest.visitedRecordId")
    said = {row["op"] for row in store.all("SELECT op FROM record WHERE record_id = ?", (sub.record_id,))}
    if sub.op == "VI":
        return None if "VI" in said else Finding("E400", "op")
    if sub.op not in {"UP", "VD"} and not said & {"CI", "JI", "UP"}:
        return Finding("E400", "op")  # nobody checked in
    if "VD" in said or (said & {"CC", "JC"} and sub.op not in {"UP", "VD"}):
        return Finding("E400", "op")  # voided, or has left
    return None
