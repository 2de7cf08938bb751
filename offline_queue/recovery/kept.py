"""An event as it is kept outside the store: a row with its names, and the sealed parts. Pure."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

from offline_queue.crypto.sealing import SealedPart

Value: TypeAlias = int | float | str | bytes | None
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of ``event`` by column, and its parts. A part without a key has an empty ``wrapped``."""

    columns: Mapping[str, Value] = field(repr=False)
    parts: tuple[SealedPart, ...] = ()

    @property
    def record(self) -> bytes:
        value = self.columns["record"]
        return value if isinstance(value, bytes) else b""

    @property
    def record_id(self) -> UUID:
        return UUID(bytes=self.record)

    @property
    def revision(self) -> int:
        return self.number("revision")

    def text(self, column: str) -> str:
        """Return a text column; empty when it is NULL."""
        value = self.columns.get(column)
        return value if isinstance(value, str) else ""

    def number(self, column: str) -> int:
        value = self.columns.get(column)
        return value if isinstance(value, int) else 0

    def to_body(self, head: bytes) -> bytes:
        """Return the body of a frame: everything but the keys. ``head``: hash of the chain's last entry."""
        told = {
            "head": head.hex(),
            "event": {name: _told(value) for name, value in self.columns.items()},
            "parts": [[part.part, part.recipient, part.key_id, part.suite, len(part.sealed)] for part in self.parts],
        }
        text = json.dumps(told, separators=(",", ":")).encode()
        return b"".join([_LENGTH.pack(len(text)), text, *(part.sealed for part in self.parts)])


def of_body(body: bytes) -> tuple[Kept, bytes] | None:
    """Return event and chain head of a frame's body; None when it is not what ``to_body`` makes."""
    try:
        (length,) = _LENGTH.unpack_from(body)
        told = json.loads(body[4 : 4 + length])
        columns = {name: _read(value) for name, value in told["event"].items()}
        parts, at = [], 4 + length
        for part, recipient, key_id, suite, size in told["parts"]:
            parts.append(SealedPart(part, body[at : at + size], recipient, key_id, b"", suite))
            at += size
        kept = Kept(columns, tuple(parts))
        if len(kept.record) != 16 or kept.revision < 1 or at != len(body):
            return None
        return kept, bytes.fromhex(told["head"])
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError):
        return None


def without_keys(part: SealedPart) -> SealedPart:
    return replace(part, wrapped=b"")


def _told(value: Value) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _read(value: object) -> Value:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    if value is None or isinstance(value, int | float | str):
        return value
    raise TypeError
