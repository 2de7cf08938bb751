"""Claim 169 codes: resolved on the kiosk, with no network, by the issuer's pinned key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from kiosk.config import Config
from kiosk.credentials import claim169, resident_id
from kiosk.credentials.issuer_keys import load
from kiosk.identity import fields, portraits
from kiosk.identity.numbers import contradiction
from kiosk.model import Consent, Identity, Reason, Refusal, ScannedCode
from kiosk.state import StateStore

_ID, _FULL_NAME, _BIRTH, _SEX, _ADDRESS, _NATIONALITY, _PHOTO, _FACE = 1, 4, 8, 9, 10, 13, 16, 62
_NAME_PARTS = (5, 6, 7)
_SEXES: Mapping[object, str] = {
    **dict.fromkeys((1, "1", "male", "m", "男"), "1"),
    **dict.fromkeys((2, "2", "female", "f", "女"), "2"),
    **dict.fromkeys((3, "3", "others", "other"), "9"),
}
"""Versions of the specification differ: words or numbers. GB/T 2261.1 on the right."""
_CITIZENS = frozenset({"CHN", "CN", "156", "中国"})


class Claim169Resolver:
    """An IdentityResolver that needs no network.

    A code may be shown in another visit: it says who its holder is, and a face or staff must bind it to the guest.
    """

    def __init__(self, config: Config, state: StateStore, now: Callable[[], datetime]) -> None:  # noqa: ARG002 - as all
        demo = config.kiosk.mode == "demo"
        self._keys = load(config.credentials.issuer_keys_dir, allow_sandbox=demo)
        self._now = now

    def resolve(self, code: ScannedCode, consent: Consent, visit: int) -> Identity | Refusal:  # noqa: ARG002 - the port's
        """Verify the code and say whose it is. Never blocks, never raises."""
        claim = claim169.verify(code.payload, self._keys, self._now())
        return claim if isinstance(claim, Refusal) else identity_of(claim)

    def portrait(self, identity: Identity, consent: Consent) -> bytes | None:  # noqa: ARG002 - the port's
        """Return the portrait that came in the code."""
        return identity.portrait

    def close(self) -> None:
        """Nothing is open."""


make = Claim169Resolver


def identity_of(claim: Mapping[object, object]) -> Identity | Refusal:
    """Read a genuine identity map: liberal in its forms, strict in what must agree. Never raises."""
    name, birth, sex = _name(claim), _birth(claim.get(_BIRTH)), _sex(claim.get(_SEX))
    if name is None or birth is None:
        return Refusal(Reason.CODE_BROKEN)
    nationality = _nationality(claim.get(_NATIONALITY))
    if nationality is None:
        return Refusal(Reason.CODE_BROKEN)
    number = ""
    if nationality == "CHN":
        found = fields.id_number(claim.get(_ID))
        if found is None:
            return Refusal(Reason.IDENTITY_FAULTY)
        if (refusal := contradiction(found, birth, sex)) is not None:
            return refusal
        number, sex = found, resident_id.sex(found)
    return Identity(
        source=claim169.FORMAT,
        name=name,
        id_number=number,
        birth_date=birth,
        sex=sex or "9",
        nationality=nationality,
        address=fields.address(claim.get(_ADDRESS)),
        portrait=_portrait(claim),
    )


def _name(claim: Mapping[object, object]) -> str | None:
    if _FULL_NAME in claim:
        return fields.name(claim[_FULL_NAME])
    parts = [part for part in (fields.name(claim.get(key)) for key in _NAME_PARTS) if part is not None]
    return fields.name(" ".join(parts))


def _birth(value: object) -> date | None:
    """Read YYYYMMDD, as text or number, or YYYY-MM-DD."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    digits = text.replace("-", "") if len(text) == 10 else text
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _sex(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return _SEXES.get(value.strip().lower() if isinstance(value, str) else value)


def _nationality(value: object) -> str | None:
    """Return the country: CHN when the map says nothing, None when it says nothing intelligible."""
    if value is None:
        return "CHN"
    text = fields.line(value, 20)
    if text is None:
        return None
    text = text.upper()
    if text in _CITIZENS:
        return "CHN"
    return text if text.isascii() and text.isalpha() and len(text) in (2, 3) else None


def _portrait(claim: Mapping[object, object]) -> bytes | None:
    """Return the face photo if the face step can use it, whatever the map calls its format."""
    face = claim.get(_FACE)
    first = face[0] if isinstance(face, list) and face else face
    for picture in (claim.get(_PHOTO), first.get(0) if isinstance(first, dict) else None):
        if isinstance(picture, bytes) and portraits.usable(picture):
            return picture
    return None
