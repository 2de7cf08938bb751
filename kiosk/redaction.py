"""Takes personal data out of any text before it is written down. Pure, but for the filter's change of its record.

The guest's data should never reach a log at all; this is the net below. It would rather hide a harmless
long number than let one ID number through: no run of 17 digits, in any script, survives ``redact``.
Names cannot be recognised in a text, so they are masked only where somebody hands one over.
"""

from __future__ import annotations

import logging
import re
import traceback
from datetime import date
from itertools import pairwise

from typing_extensions import override

STARS = "********"

_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])")
"""Numbers of ours: record, consent, batch."""
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,60})-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_URL = re.compile(r"([a-z][a-z0-9+.-]{0,20})://([^\s\"<>]+)", re.IGNORECASE)
_URL_END = re.compile(r"[)\]}'`,;.]*\Z")
_QUERY = re.compile(r"\?[\w%.~-]{1,60}=[^\s\"'<>]*")
_BYTES = re.compile(r"\bb(['\"])((?:\\.|(?!\1).){16,})\1", re.DOTALL)
_MRZ = re.compile(r"[A-Z0-9<]{30,}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{32,}(?![0-9A-Za-z])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_BASE45 = re.compile(r"[0-9A-Z$%*+./:-][0-9A-Z $%*+./:-]{38,}[0-9A-Z$%*+./:-]")

_GAP = r"[\s._·\-–—]{0,3}"
_SPACED_ID = re.compile(rf"(?=(\d(?:{_GAP}\d){{16}}{_GAP}[\dXxＸｘ]))")
_LONG_NUMBER = re.compile(r"\d{15,}[XxＸｘ]?")
_PHONE = re.compile(r"(?<!\d)((?:(?:\+|00)?86[ -]?)?1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?!\d)")
_DOCUMENT = re.compile(
    r"((?:passport|document|permit|visa|travel|证件|护照|通行证|签证|居住证)[^\n]{0,24}?)"
    r"(?<![0-9A-Za-z])([A-Z]{0,3}\d{6,14}[A-Z]?)(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def mask_id_number(number: str) -> str:
    """Return ``310101********0012`` for an ID number, ``E1********78`` for a shorter document number."""
    text = number.strip()
    if len(text) >= 15:
        return f"{text[:6]}{STARS}{text[-4:]}"
    if len(text) >= 7:
        return f"{text[:2]}{STARS}{text[-2:]}"
    return STARS


def mask_name(name: str) -> str:
    """Return the first and the last sign with a star between: its bearer knows it, a bystander does not."""
    text = name.strip()
    if len(text) < 2:
        return "*"
    return f"{text[0]}*" if len(text) == 2 else f"{text[0]}*{text[-1]}"


def redact(text: str) -> str:
    """Return ``text`` without ID, document and phone numbers, addresses' paths and queries, keys and blobs."""
    text = _PEM.sub(r"<PEM \1>", text)
    text = _BYTES.sub("<bytes>", text)
    text = _QUERY.sub("?…", _URL.sub(_host_only, text))
    kept, begin = [], 0
    for ours in _UUID.finditer(text):
        kept += [_redact_piece(text[begin : ours.start()]), ours[0]]
        begin = ours.end()
    return "".join([*kept, _redact_piece(text[begin:])])


def _redact_piece(text: str) -> str:
    text = _MRZ.sub(lambda found: "<MRZ>" if "<" in found[0] else found[0], text)
    text = _HEX.sub(lambda found: f"<{len(found[0])} hex>", text)
    text = _BASE45.sub(_base45_blob, text)
    text = _BASE64.sub(_base64_blob, text)
    text = _mask_spaced_ids(text)
    text = _LONG_NUMBER.sub(lambda found: mask_id_number(found[0]), text)
    text = _PHONE.sub(r"\1****\2", text)
    return _DOCUMENT.sub(lambda found: found[1] + mask_id_number(found[2]), text)


def _host_only(found: re.Match[str]) -> str:
    scheme, rest = found[1], found[2]
    end = _URL_END.search(rest)
    tail = end[0] if end is not None else ""
    place = rest[: len(rest) - len(tail)]
    host = re.split(r"[/?#\\]", place, maxsplit=1)[0]
    hidden = "/…" if len(host) < len(place) else ""
    return f"{scheme}://{host.rpartition('@')[2]}{hidden}{tail}"


def _base64_blob(found: re.Match[str]) -> str:
    """Tell a blob from a path or a long name by how often the kind of character changes."""
    word = found[0]
    changes = sum(_kind(one) != _kind(other) for one, other in pairwise(word))
    return f"<{len(word)} base64>" if changes >= 0.4 * len(word) else word


def _kind(character: str) -> int:
    if character.isdigit():
        return 0
    if character.isalpha():
        return 1 if character.isupper() else 2
    return 3


def _base45_blob(found: re.Match[str]) -> str:
    text = found[0]
    digits = sum(character.isdigit() for character in text)
    letters = sum(character.isalpha() for character in text)
    return f"<{len(text)} base45>" if digits >= 0.1 * len(text) and letters >= 0.3 * len(text) else text


def _mask_spaced_ids(text: str) -> str:
    """Mask ID numbers that were written in groups; a row of other numbers stays readable."""
    kept, begin = [], 0
    for found in _SPACED_ID.finditer(text):
        number = "".join(character for character in found[1] if character.isalnum())
        if found.start() >= begin and _may_be_id(number):
            kept += [text[begin : found.start()], mask_id_number(number)]
            begin = found.end(1)
    return "".join([*kept, text[begin:]])


def _may_be_id(number: str) -> bool:
    """Say whether province and birth date could be those of an ID number."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return "11" <= number[:2] <= "91" and 1850 <= born.year <= 2150


class RedactingFilter(logging.Filter):
    """Redacts message, arguments, exception and stack of each record. Never raises: it stands before the handler.

    The record itself is changed, so whoever handles it later sees the redacted form too.
    """

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Return True always."""
        record.msg = redact(_message(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = _traceback(record)
        record.exc_info = None
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    """Put message and arguments together. Raw bytes are told by their length alone."""
    try:
        args = record.args
        if isinstance(args, tuple):
            record.args = tuple(_told(value) for value in args)
        elif args:
            record.args = {name: _told(value) for name, value in args.items()}
        return record.getMessage()
    except Exception as error:  # a bad format must neither stop the caller nor print the arguments
        return f"<message could not be put together: {type(error).__name__}>"


def _told(value: object) -> object:
    return f"<{len(value)} bytes>" if isinstance(value, bytes | bytearray) else value


def _traceback(record: logging.LogRecord) -> str:
    try:
        return "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else ""
    except Exception as error:  # an exception whose own text breaks
        return f"<exception could not be told: {type(error).__name__}>"
