"""What follows a check-in, as frozen records: room change, extension, correction, void, check-out; and visitors. Pure.

    RC  room change     EX  extension     CC / JC  check-out     VD  void, with a reason
    UP  correction: the whole record again, as it stands with what is mended, without the photos
    VI  visitor: a record of its own; revision 1 says that they came, revision 2 that they left

Each is the next revision of its record and says only what changed, but for UP. So all of them but UP can be made when
the earlier text is erased: what they need is in the outbox's row. ``Earlier`` is what is known of a record:

    Earlier.standing(texts)     from the texts of its revisions, as it stands after all of them
    Earlier(record_id, …)       from the row, when they were erased or are sealed
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from kiosk.config import KioskSection
from kiosk.errors import ContractError
from kiosk.model import Registration, RegistrationId
from kiosk.registration.code_tables import BUILT_IN, CodeTables
from kiosk.registration.forms import Finding
from kiosk.registration.validators import findings

WHOLE = frozenset({"CI", "JI", "UP"})
"""Operations whose text says everything about the guest."""
_CHANGES = {"RC": ("roomNo",), "EX": ("plannedOutAt",)}
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Earlier:
    """A record as it stands before something follows it."""

    record_id: str
    revision: int
    """The last one that was put, whatever became of it."""
    stay_id: str
    overseas: bool = False
    guest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Empty when the text is erased, or sealed to the authority."""
    verify: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def standing(cls, texts: Sequence[bytes]) -> Earlier:
        """Read the texts of a record's revisions, in any order. Raises ContractError for what is no record."""
        try:
            records = sorted(map(json.loads, texts), key=lambda record: int(record["revision"]))
            first, last = records[0], records[-1]
            if {record["recordId"] for record in records} != {first["recordId"]}:
                raise ValueError("of several records")
            guest, verify = _folded(records)
            overseas = any(record["op"] in {"JI", "JC"} for record in records) or "surnameLatin" in guest
            return cls(first["recordId"], last["revision"], first["stayId"], overseas, guest, verify)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise ContractError("registration: these are not the texts of one record's revisions") from None


@dataclass(frozen=True, slots=True)
class Act:
    """Who says it, where and when."""

    kiosk: KioskSection
    at: datetime
    """With its offset."""
    operator: str
    """The clerk's account, or the kiosk's id when the guest did it there."""
    salt: bytes = field(repr=False)
    """16 fresh random bytes, so that the hash of an erased record says nothing."""
    tables: CodeTables = BUILT_IN


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who visits a guest, and consents to be registered."""

    name: str = field(repr=False)
    id_type: str
    """``11``: resident ID; else a code of the authority's table of documents."""
    id_number: str = field(repr=False)
    room_no: str
    consent_id: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """It cannot be put like this: what a person must mend, by code and field."""

    findings: tuple[Finding, ...]


Built: TypeAlias = Registration | Unfit


def room_change(earlier: Earlier, room_no: str, act: Act) -> Built:
    """The guest moved to another room of the same stay."""
    guest = {"roomNo": room_no}
    if "roomNo" in earlier.guest:
        guest["fromRoomNo"] = earlier.guest["roomNo"]
    return _next(earlier, "RC", guest, act)


def extension(earlier: Earlier, planned_out_at: datetime, act: Act) -> Built:
    """The guest stays until another time, later or earlier than planned."""
    return _next(earlier, "EX", {"plannedOutAt": _moment(planned_out_at, act)}, act)


def check_out(earlier: Earlier, act: Act) -> Built:
    """The guest left, now."""
    return _next(earlier, "JC" if earlier.overseas else "CC", {"checkOutAt": _moment(act.at, act)}, act)


def void(earlier: Earlier, reason: str, act: Act) -> Built:
    """The stay did not happen. ``reason``: one of ``later_rules.VOID_REASONS``; nothing is deleted here."""
    return _next(earlier, "VD", {"voidReason": reason}, act)


def correction(earlier: Earlier, mended: Mapping[str, object], act: Act, *, consent_id: str = "") -> Built:
    """Something in the record was wrong.

    Args:
        earlier: The record as it stands. If its text is erased or sealed, ``mended`` must hold every field: the
            document is read again.
        mended: Fields of the guest with their right values; None takes a field away.
        act: Who says so.
        consent_id: The guest's consent to the document being read again; needed when the text is erased.
    """
    guest = {name: value for name, value in {**earlier.guest, **mended}.items() if value is not None}
    verify = {**earlier.verify, "operator": act.operator}
    verify.setdefault("method", "card+staff")
    if consent_id:
        verify["identityConsentId"] = consent_id
    return _next(earlier, "UP", guest, act, verify)


def visitor_in(visited: Earlier, visitor: Visitor, record_id: RegistrationId, act: Act) -> Built:
    """Somebody came to see a guest. ``record_id``: a fresh UUID; that they left is its next revision."""
    guest = {
        "name": visitor.name,
        "idType": visitor.id_type,
        "idNumber": visitor.id_number,
        "visitedRecordId": visited.record_id,
        "roomNo": visitor.room_no,
        "consentId": visitor.consent_id,
        "inAt": _moment(act.at, act),
    }
    return _next(Earlier(record_id, 0, visited.stay_id), "VI", guest, act)


def visitor_out(came: Earlier, act: Act) -> Built:
    """The visitor left, now. ``came``: the visitor's own record."""
    return _next(came, "VI", {"outAt": _moment(act.at, act)}, act)


def _folded(records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return guest and verification as they stand after all revisions; empty while the whole record is not there."""
    guest: dict[str, Any] = {}
    verify: dict[str, Any] = {}
    for record in records:
        said = record.get("guest", {})
        if record["op"] in WHOLE:
            guest, verify = dict(said), dict(record["verify"])
        elif guest:
            guest |= {name: said[name] for name in _CHANGES.get(record["op"], ()) if name in said}
    return guest, verify


def _next(
    earlier: Earlier, op: str, guest: Mapping[str, object], act: Act, verify: Mapping[str, object] | None = None
) -> Built:
    at = act.at.astimezone(ZoneInfo(act.kiosk.timezone)).replace(microsecond=0)
    record: dict[str, Any] = {
        "recordId": earlier.record_id,
        "revision": earlier.revision + 1,
        "salt": act.salt.hex(),
        "op": op,
        "stayId": earlier.stay_id,
        "hotelCode": act.kiosk.hotel_code,
        "kioskId": act.kiosk.kiosk_id,
        "occurredAt": _moment(at, act),
        "capturedOffline": False,
        "guest": dict(guest),
        "photos": [],
        "verify": dict(verify) if verify is not None else {"method": "staff", "operator": act.operator},
    }
    if len(act.salt) != _SALT_BYTES:
        raise ContractError(f"registration: salt of {len(act.salt)} bytes, wants {_SALT_BYTES}")
    if broken := findings(record, (), act.tables):
        return Unfit(broken)
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return Registration(RegistrationId(earlier.record_id), record["revision"], op, earlier.stay_id, at, text)


def _moment(at: datetime, act: Act) -> str:
    return at.astimezone(ZoneInfo(act.kiosk.timezone)).isoformat(timespec="seconds")
