"""``queue.keyring``: the wrapped data keys once more, beside the database and nowhere else.

The second copy holds what is sealed and never a key, so a rebuild needs them from here. Each key has a slot of
its own, overwritten where it lies when the key is destroyed: a purge reaches this copy too. Owner thread only.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.durable import sync_folder
from kiosk.errors import ContractError, OutboxUnavailable
from offline_queue.recovery import file_bytes

SLOT_BYTES = 512
LONGEST_WRAPPED = 340
_MAGIC = b"SZK1"
_SLOT = struct.Struct(f">4s16sI8s8s64s32sH{LONGEST_WRAPPED}s")
_CRC = struct.Struct(">I")
_EMPTY = bytes(SLOT_BYTES)

Where = tuple[bytes, int, str]
"""Record, revision and part: what a slot is found by."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One slot."""

    record: bytes
    revision: int
    part: str
    suite: str
    recipient: str
    key_id: str
    wrapped: bytes = field(repr=False)

    @property
    def where(self) -> Where:
        return (self.record, self.revision, self.part)

    def to_slot(self) -> bytes:
        """Raises ContractError for a key that fits no slot."""
        texts = [text.encode("ascii") for text in (self.part, self.suite, self.recipient, self.key_id)]
        if len(self.wrapped) > LONGEST_WRAPPED or any(map(lambda text, most: len(text) > most, texts, (8, 8, 64, 32))):
            raise ContractError("outbox keyring: a wrapped key or a name of it is longer than a slot")
        fields = _SLOT.pack(_MAGIC, self.record, self.revision, *texts, len(self.wrapped), self.wrapped)
        return (fields + _CRC.pack(zlib.crc32(fields))).ljust(SLOT_BYTES, b"\0")

    @classmethod
    def from_slot(cls, slot: bytes) -> WrappedKey | None:
        """Return None for a slot that is empty, torn or altered."""
        fields = slot[: _SLOT.size]
        if not slot.startswith(_MAGIC) or slot[_SLOT.size : _SLOT.size + _CRC.size] != _CRC.pack(zlib.crc32(fields)):
            return None
        _, record, revision, *names, length, wrapped = _SLOT.unpack(fields)
        part, suite, recipient, key_id = (name.rstrip(b"\0").decode("ascii") for name in names)
        return cls(record, revision, part, suite, recipient, key_id, wrapped[:length])


class Keyring:
    """The open file. Nothing is durable before ``sync``."""

    def __init__(self, path: Path) -> None:
        """Open or make it, and wipe slots that were torn or altered. Raises OutboxUnavailable."""
        self._path = path
        self._slots: dict[Where, int] = {}
        self._recipients: dict[Where, str] = {}
        """Names of the keys that wrap them: a change of the kiosk's key must not read the whole file at its end."""
        self._free: list[int] = []
        self._end = 0
        try:
            made = not path.exists()
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.fchmod(self._fd, 0o600)
            if made:
                sync_folder(path.parent)
            self._load()
        except OSError as exc:
            raise self._told(exc) from exc

    def close(self) -> None:
        """Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, where: Where) -> bool:
        return where in self._slots

    def get(self, where: Where) -> WrappedKey | None:
        """Read one key; None when it is destroyed, was never here, or is not as it was written."""
        slot = self._slots.get(where)
        return None if slot is None else WrappedKey.from_slot(self._read(slot))

    def __iter__(self) -> Iterator[WrappedKey]:
        """Every key that is whole, in no order."""
        for where in tuple(self._slots):
            if (key := self.get(where)) is not None:
                yield key

    def wrapped_by(self, recipients: Collection[str]) -> list[WrappedKey]:
        """Read the keys that one of these wraps."""
        places = [where for where, recipient in self._recipients.items() if recipient in recipients]
        return [key for where in places if (key := self.get(where)) is not None]

    def places(self) -> list[Where]:
        """Of which parts it holds keys."""
        return list(self._slots)

    def put(self, keys: Iterable[WrappedKey]) -> bool:
        """Write keys that are not there; return whether anything was written.

        One that is there under its name, wrapped for the same recipient, stays: the other may come from damage.
        """
        wrote = False
        for key in keys:
            slot = self._slots.get(key.where)
            if slot is not None and _same(WrappedKey.from_slot(self._read(slot)), key):
                continue
            slot = self._next_free() if slot is None else slot
            self._write(slot, key.to_slot())
            self._take(key, slot)
            wrote = True
        return wrote

    def destroy(self, places: Iterable[Where]) -> bool:
        """Overwrite keys where they lie; return whether there was one."""
        wrote = False
        for where in places:
            slot = self._slots.get(where)
            if slot is not None:
                self._write(slot, _EMPTY)
                del self._slots[where], self._recipients[where]
                self._free.append(slot)
                wrote = True
        return wrote

    def sync(self) -> None:
        """Wait until everything is on the disk. Raises OutboxUnavailable."""
        try:
            os.fdatasync(self._fd)
        except OSError as exc:
            raise self._told(exc) from exc

    def _load(self) -> None:
        size = os.fstat(self._fd).st_size
        wiped = False
        self._end = (size + SLOT_BYTES - 1) // SLOT_BYTES
        for slot in range(self._end):
            held = self._read(slot)
            key = WrappedKey.from_slot(held)
            if key is not None and key.where not in self._slots:
                self._take(key, slot)
                continue
            if held != _EMPTY:  # half a key is still half a key
                self._write(slot, _EMPTY)
                wiped = True
            self._free.append(slot)
        self._free.reverse()
        if wiped:
            os.fdatasync(self._fd)

    def _take(self, key: WrappedKey, slot: int) -> None:
        self._slots[key.where] = slot
        self._recipients[key.where] = sys.intern(key.recipient)

    def _next_free(self) -> int:
        if self._free:
            return self._free.pop()
        self._end += 1
        return self._end - 1

    def _read(self, slot: int) -> bytes:
        return file_bytes.read(self._fd, slot * SLOT_BYTES, SLOT_BYTES)[0]  # a bad sector costs its own keys only

    def _write(self, slot: int, held: bytes) -> None:
        try:
            if os.pwrite(self._fd, held, slot * SLOT_BYTES) != SLOT_BYTES:
                raise OSError(28, "No space left on device")
        except OSError as exc:
            raise self._told(exc) from exc

    def _told(self, exc: OSError) -> OutboxUnavailable:
        return OutboxUnavailable(f"outbox keyring {self._path.name}: {exc.strerror}; check free space and the disk")


def _same(known: WrappedKey | None, key: WrappedKey) -> bool:
    return known is not None and (known.key_id, known.recipient) == (key.key_id, key.recipient)
