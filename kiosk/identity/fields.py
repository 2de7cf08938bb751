"""The form each field of an identity must have. A value without it is None: nothing is mended or guessed."""

from __future__ import annotations

import re
import unicodedata

from kiosk.credentials import resident_id

MAX_NAME, MAX_ADDRESS = 60, 70
_NUMBER = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_PROVINCE = re.compile(r"[1-9][0-9]", re.ASCII)
_ETHNICITY = re.compile(r"0[1-9]|[1-4][0-9]|5[0-6]", re.ASCII)


def line(value: object, longest: int) -> str | None:
    """Return one line of visible text, trimmed, in NFC."""
    if not isinstance(value, str) or len(value) > longest * 2:
        return None
    text = unicodedata.normalize("NFC", value.strip())
    return text if 1 <= len(text) <= longest and text.isprintable() else None


def name(value: object) -> str | None:
    """Return a person's name with at least one letter in it."""
    text = line(value, MAX_NAME)
    return text if text is not None and any(sign.isalpha() for sign in text) else None


def address(value: object) -> str | None:
    """Return a postal address."""
    return line(value, MAX_ADDRESS)


def id_number(value: object) -> str | None:
    """Return 18 characters in the form of GB 11643; whether the check digit holds is asked elsewhere."""
    text = line(value, 18)
    return _match(_NUMBER, resident_id.normal(text)) if text is not None else None


def province(value: object) -> str | None:
    """Return the first two digits of a division code."""
    return _match(_PROVINCE, value)


def ethnicity(value: object) -> str | None:
    """Return a code of GB/T 3304, 01 to 56."""
    return _match(_ETHNICITY, value)


def secret(value: object) -> str | None:
    """Return a token or ticket: printable ASCII without spaces."""
    return _match(re.compile(r"[\x21-\x7e]{1,2048}"), value)


def _match(form: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) else None
