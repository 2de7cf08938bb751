"""Looking for a guest in files: every field, in every coding that a program might have left it in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kiosk.model import Registration

SHORTEST = 5
"""Shorter values, in bytes, stand in any file by chance (four digits of a room in an id): looked for by name."""
OPEN = frozenset({"checkInAt"})
"""When an event happened is kept openly, for the law's clock; receipts of the same second look the same."""
_CODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030")
_PHOTO_WINDOW = 24


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found where."""

    field: str
    form: str
    file: str


def of(registration: Registration) -> dict[str, tuple[tuple[str, bytes], ...]]:
    """Return each field of a record's guest, text and photos, with its forms: (name of the form, bytes)."""
    body = json.loads(registration.text)
    found = {
        f"guest.{name}": tuple(_forms(name, value))
        for name, value in body["guest"].items()
        if isinstance(value, str) and name not in OPEN
    }
    found["salt"] = tuple(_texts(body["salt"]))
    found["text"] = (("beginning", registration.text[:48]), ("middle", registration.text[200:248]))
    for photo in registration.photos:
        found[f"photo {photo.kind}"] = tuple(_photo(photo.jpeg))
    return found


def of_values(values: Mapping[str, str]) -> dict[str, tuple[tuple[str, bytes], ...]]:
    """Return named values with their forms."""
    return {name: tuple(_forms(name, value)) for name, value in values.items()}


def search(
    wanted: Mapping[str, tuple[tuple[str, bytes], ...]], folders: Iterable[Path], *, but: Iterable[str] = ()
) -> list[Trace]:
    """Read every file below the folders, and every file's name. ``but``: names of files that may hold anything."""
    found: list[Trace] = []
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        held = str(path).encode() + b"\0"
        if path.is_file() and not path.is_symlink() and path.name not in but:
            held += path.read_bytes()
        found += [
            Trace(field, form, path.name)
            for field, forms in wanted.items()
            for form, value in forms
            if value and value in held
        ]
    return found


def _forms(name: str, value: str) -> Iterator[tuple[str, bytes]]:
    if len(value.encode()) < SHORTEST:
        # Both ways in which JSON is written, and as a form or a query
        for between in ('":"', '": "', "=", ": '"):
            yield "with its name", f"{name}{between}{value}".encode()
        return
    yield from _texts(value)


def _texts(value: str) -> Iterator[tuple[str, bytes]]:
    for coding in _CODINGS:
        held = value.encode(coding, errors="ignore")
        yield coding, held
        yield f"{coding} in hex", held.hex().encode()
        yield f"{coding} in HEX", held.hex().upper().encode()
        yield from _in_base64(coding, held)
    yield "JSON escapes", json.dumps(value)[1:-1].encode()
    yield "percent", quote(value).encode()
    for kind in ("md5", "sha1", "sha256"):
        # An ID number has so few values that its plain hash names its owner
        digest = hashlib.new(kind, value.encode(), usedforsecurity=False)
        yield kind, digest.digest()
        yield f"{kind} in hex", digest.hexdigest().encode()


def _in_base64(coding: str, held: bytes) -> Iterator[tuple[str, bytes]]:
    """The same bytes look different at each of three places within a longer text."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + held)
        whole = coded[-(-before * 8 // 6) : (before + len(held)) * 8 // 6]
        if len(whole) >= 6:
            yield f"{coding} in base64, place {before}", whole
            yield f"{coding} in base64url, place {before}", whole.replace(b"+", b"-").replace(b"/", b"_")


def _photo(jpeg: bytes) -> Iterator[tuple[str, bytes]]:
    for at in (len(jpeg) // 4, len(jpeg) // 2, len(jpeg) - 2 * _PHOTO_WINDOW):
        window = jpeg[at : at + _PHOTO_WINDOW]
        yield f"bytes at {at}", window
        yield f"hex at {at}", window.hex().encode()
        yield from ((f"{form} at {at}", coded) for form, coded in _in_base64("raw", window))
