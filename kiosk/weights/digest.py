"""Compare bytes with the hash the manifest pins."""

from __future__ import annotations

import hashlib

from kiosk.errors import OperationalError


class HashMismatch(OperationalError):
    """A file is not the one that was pinned. It was not parsed, and is not used."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(f"{what}: sha256 is {found}, but {expected} is pinned")
        self.expected = expected
        self.found = found


def sha256(data: bytes) -> str:
    """Hash in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def check(what: str, data: bytes, expected: str) -> None:
    """Raise HashMismatch, naming both hashes, unless ``data`` has the expected one."""
    found = sha256(data)
    if found != expected:
        raise HashMismatch(what, expected, found)
