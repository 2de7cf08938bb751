"""Which field stands where on the form. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offline_queue.answering.inquiry import as_object
from offline_queue.paper import terms
from offline_queue.paper.entry import Entry

UNITS = 12
_PROMINENT = frozenset({"name", "surnameLatin", "givenLatin", "nameCn", "idNumber", "documentNumber", "roomNo"})
_SMALL_PRINT = ("partySize", "occupantIndex", "declared", "consentId", "guestCode")
_LEFT_OUT = frozenset({*_SMALL_PRINT, "policeStation"})


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a form, ``units`` twelfths of a line wide."""

    label: str
    value: str
    units: int
    prominent: bool = False


def cells(entry: Entry) -> list[Cell]:
    """Return what an officer needs of an entry, in the form's order: the guest, the stay, how it was checked."""
    guest = entry.guest
    keys = [key for key in (*terms.FIELDS, *sorted(set(guest) - set(terms.FIELDS))) if key in guest]
    told = [
        Cell(terms.named(key), text, terms.width(key), key in _PROMINENT)
        for key in keys
        if key not in _LEFT_OUT and (text := terms.value(key, guest[key]))
    ]
    return told + _outer(entry)


def lines(given: Sequence[Cell]) -> list[list[Cell]]:
    """Put cells into lines of twelve units, in their order; the last cell of a line takes what is left."""
    made: list[list[Cell]] = []
    left = 0
    for cell in given:
        if cell.units > left:
            _stretch(made, left)
            made.append([])
            left = UNITS
        made[-1].append(cell)
        left -= cell.units
    _stretch(made, left)
    return made


def small_print(entry: Entry) -> str:
    """Return in one line what identifies the record to the authority's system, and who looked at the guest."""
    guest, verify = entry.guest, as_object(entry.body.get("verify"))
    extra = [f"{terms.named(key)} {terms.value(key, guest[key])}" for key in _SMALL_PRINT if guest.get(key)]
    if verify.get("operator"):
        extra.insert(0, f"核验人 {verify['operator']}")
    if "photoAbsentReason" in entry.body:
        absent = str(entry.body["photoAbsentReason"])
        extra.insert(0, f"无照片: {terms.PHOTO_ABSENT.get(absent, absent)}")
    return "  ".join([f"记录 {entry.record} 版本 {entry.revision}", *extra, f"SHA-256 {entry.content_hash[:16]}…"])


def _outer(entry: Entry) -> list[Cell]:
    """What stands outside the guest's part: how the guest was checked."""
    method = str(as_object(entry.body.get("verify")).get("method", ""))
    return [Cell("核验方式", terms.METHODS.get(method, method), 4)] if method else []


def _stretch(made: list[list[Cell]], left: int) -> None:
    if made and left:
        last = made[-1][-1]
        made[-1][-1] = Cell(last.label, last.value, last.units + left, last.prominent)
