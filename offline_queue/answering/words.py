"""The outbox told to staff in words. Pure: the words are ours, never the authority's text."""

from __future__ import annotations

import re

from offline_queue.states import EventState

STATES = {
    EventState.BLOCKED: "waits for an earlier revision of its record",
    EventState.READY: "waits to be sent",
    EventState.INFLIGHT: "sent, the answer is awaited",
    EventState.DELIVERED: "delivered",
    EventState.PURGED: "delivered, text erased",
    EventState.REJECTED: "rejected: a person must decide",
    EventState.SUPERSEDED: "replaced by a correction",
    EventState.QUARANTINED: "cannot be opened: call support",
}

OPS = {
    "CI": "check-in",
    "JI": "check-in from overseas",
    "CC": "check-out",
    "JC": "check-out, overseas",
    "RC": "room change",
    "EX": "extension",
    "UP": "correction",
    "VD": "void",
    "VI": "visitor",
}

CODES = {
    "E20": "check-in time",
    "E21": "guest code",
    "E22": "name",
    "E23": "sex",
    "E24": "ethnicity",
    "E25": "birth date",
    "E26": "kind of document",
    "E27": "document number",
    "E28": "division code",
    "E29": "address",
    "E2A": "room missing",
    "ENOROOM": "room unknown to the authority",
    "E2B": "saved twice",
    "EJW1": "Latin surname",
    "EJW2": "nationality",
    "EJW3": "visa",
    "EJW4": "stay-until date",
    "EJW5": "entry date",
    "EJW6": "visa number",
    "ERJKA": "port of entry",
    "ETLSY": "reason of the stay",
    "EQFD": "place of issue",
    "EAA": "the hotel's licence has expired",
    "E13": "record too large",
    "E101": "token",
    "E103": "device disabled by the authority",
    "E107": "this kiosk's clock is wrong",
    "E301": "checksum",
    "E302": "birth date differs from the document number",
    "E303": "document expired",
    "E304": "guest is registered elsewhere already (warning)",
    "E305": "minor without guardian",
    "E306": "head-count",
    "E307": "photo shows no face",
    "E308": "code table out of date",
    "E400": "form of the record, or an operation out of turn",
    "E409": "the authority has other content under this revision",
    "E410": "the authority has a later revision",
    "E429": "the authority is busy",
    "E503": "the authority is being maintained",
}
"""What the authority's codes speak of (domain codes; one that is not here is told as it came)."""

_CODE = re.compile(r"\bE[A-Z0-9]{1,7}\b")


def answer(why: str | None) -> str:
    """Return the last answer in words: what the outbox noted, and what its code means."""
    if not why:
        return ""
    found = _CODE.search(why)
    meaning = CODES.get(found[0]) if found else None
    return f"{why} ({meaning})" if meaning else why


def cell(text: str) -> str:
    """Return one cell of a CSV; what a spreadsheet would take for a formula is quoted."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def many(n: object, one: str) -> str:
    """Return ``1 record``, ``2 records``."""
    return f"{n} {one}" if n == 1 else f"{n} {one}s"


def span(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``12 min``, ``3.5 h``, ``2.1 d``."""
    size = abs(seconds)
    if size < 90:
        return f"{size:.0f} s"
    if size < 90 * 60:
        return f"{size / 60:.0f} min"
    return f"{size / 3600:.1f} h" if size < 48 * 3600 else f"{size / 86_400:.1f} d"


def due(seconds: float) -> str:
    """Say how long until the report must be there, or how long it is overdue."""
    return f"in {span(seconds)}" if seconds >= 0 else f"OVERDUE {span(seconds)}"
