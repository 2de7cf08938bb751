"""What a resident-ID number itself says of its bearer, and what must agree with it."""

from __future__ import annotations

from datetime import date

from kiosk.credentials import resident_id
from kiosk.credentials.resident_id import Holder
from kiosk.model import Reason, Refusal

UNSAID = frozenset({None, "0", "9"})
"""A source that leaves the sex open contradicts nothing."""


def contradiction(number: str, birth: date | None = None, sex: str | None = None) -> Refusal | None:
    """Return why a number cannot be registered here, or None.

    Args:
        number: In the form of GB 11643.
        birth: The source's birth date; None if it gives none.
        sex: The source's sex, GB/T 2261.1; None if it gives none.
    """
    if not resident_id.is_valid(number):
        return Refusal(Reason.IDENTITY_FAULTY)
    if resident_id.holder(number) is not Holder.CITIZEN:
        return Refusal(Reason.OVERSEAS)  # residence permits: other fields, another document type, a person's business
    if birth is not None and birth != resident_id.birth_date(number):
        return Refusal(Reason.IDENTITY_FAULTY)
    if sex not in UNSAID and sex != resident_id.sex(number):
        return Refusal(Reason.IDENTITY_FAULTY)
    return None
