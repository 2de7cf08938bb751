"""Remembers the head of the chain outside the database: an older copy of the file that is put back is noticed.

Written after each commit and before it is acknowledged, but not synced: that would double what a put costs.
After a power cut it may therefore be behind the database, and never ahead of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from pathlib import Path

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue.database import chain

_MAGIC = b"SUZQHEAD"
_BODY = struct.Struct(">8sQ32s")
_SLOT_BYTES, _SUM_BYTES = 512, 8
"""Two slots, each in a sector of its own, written in turn: a torn one leaves the other."""


class HeadWitness:
    """One small file beside the store. Owner thread only."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it, mode 0600. Raises OutboxUnavailable."""
        self._name = path.name
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            if os.fstat(self._fd).st_size < 2 * _SLOT_BYTES:
                os.ftruncate(self._fd, 2 * _SLOT_BYTES)
                os.pwrite(self._fd, bytes(2 * _SLOT_BYTES), 0)  # later writes need no room on a full disk
        except OSError as exc:
            raise OutboxUnavailable(f"outbox {path.name}: {exc.strerror}; check the disk and its mode") from exc

    def seen(self) -> tuple[int, bytes] | None:
        """Return number and hash of the newest entry that was witnessed; None when there was none."""
        slots = (os.pread(self._fd, _BODY.size + _SUM_BYTES, at) for at in (0, _SLOT_BYTES))
        return max(filter(None, map(_read, slots)), default=None)

    def note(self, head: chain.Entry) -> None:
        """Remember the newest entry. Never raises: what is committed is committed."""
        body = _BODY.pack(_MAGIC, head.seq, head.hash)
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, body + _sum(body), head.seq % 2 * _SLOT_BYTES)

    def close(self) -> None:
        """Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def compare(self, store: str, head: chain.Entry | None, at: chain.Entry | None) -> None:
        """Raise OutboxDamaged unless the store's chain holds what was witnessed.

        Args:
            store: The file's name.
            head: The newest entry of its chain.
            at: Its entry of the number that was witnessed, if it has one.
        """
        seen = self.seen()
        if seen is None:
            return
        number, known = seen
        if head is None or head.seq < number:
            raise OutboxDamaged(
                f"outbox {store}: an older copy, or a new file: its chain ends at {head.seq if head else 0}, "
                f"{self._name} has seen {number}; set it aside and salvage, nothing was changed"
            )
        if at is None or at.hash != known:
            raise OutboxDamaged(
                f"outbox {store}: entry {number} of its chain is not the one that {self._name} has seen: "
                "another outbox's file; set it aside and salvage, nothing was changed"
            )


def _read(slot: bytes) -> tuple[int, bytes] | None:
    body = slot[: _BODY.size]
    if len(slot) < _BODY.size + _SUM_BYTES or slot[_BODY.size :] != _sum(body):
        return None
    magic, number, known = _BODY.unpack(body)
    return (number, known) if magic == _MAGIC else None


def _sum(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_SUM_BYTES]
