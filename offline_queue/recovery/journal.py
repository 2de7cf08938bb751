"""The second copy: segments of frames that are only ever appended to. It holds what is sealed and never a key.

A commit of the database is appended and synced before it is acknowledged. Each segment begins with the chain
its frames belong to, so that frames of a database that was lost are told from those of the one that runs.
Owner thread only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.durable import sync_folder
from kiosk.errors import OutboxUnavailable
from offline_queue.recovery import frames
from offline_queue.recovery.file_bytes import opened
from offline_queue.recovery.frames import Frame, Kind
from offline_queue.recovery.kept import Kept

SEGMENT_BYTES = 16 << 20
_NAME = re.compile(r"segment-(\d{8})\.log")
_NOBODY = bytes(16)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file, as its frames' heads tell."""

    number: int
    path: Path
    chain: bytes
    """Hash of the first entry of the chain that its frames belong to; empty when that frame is lost."""
    seq: int
    """Last number of the chain in it."""
    clean: bool
    """It ends with a whole frame, so that more may be appended."""
    size: int
    rows_bytes: int
    """Bytes of frames that carry sealed parts."""


def segments(folder: Path) -> list[Path]:
    """Return the segments that are there, oldest first. Raises OSError."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


def look(path: Path) -> Segment:
    """Read a segment's heads. Raises OSError."""
    found = _NAME.fullmatch(path.name)
    number = int(found[1]) if found else 0
    with opened(path) as data:
        chain, seq, end, rows = b"", 0, 0, 0
        for head in frames.heads(data):
            if head.kind is Kind.CHAIN and not chain:
                chain = _chain_of(frames.read(data, head))
            seq, end = max(seq, head.seq), head.end
            rows += head.length if head.kind is Kind.ROW else 0
        return Segment(number, path, chain, seq, end == len(data) and bool(chain), len(data), rows)


class Journal:
    """The segment that is appended to."""

    def __init__(self, folder: Path, chain: bytes) -> None:
        """Open the second copy for one chain; nothing is written before the first ``append``.

        Args:
            folder: Made with mode 0700 when absent.
            chain: Hash of the first entry of the database's chain.

        Raises:
            OutboxUnavailable: The folder cannot be made or read.
        """
        self._folder = folder
        self._chain = chain
        self._fd = -1
        self._size = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = [look(path) for path in segments(folder)]
            self._number = max((segment.number for segment in found), default=0)
            self._seqs: dict[bytes, int] = {}
            for segment in found:
                self._seqs[segment.chain] = max(segment.seq, self._seqs.get(segment.chain, 0))
            self.seq = self._seqs.get(chain, 0)
            """Last number of the chain that is safely in here."""
            last = found[-1] if found else None
            if last is not None and last.clean and last.chain == chain and last.size < SEGMENT_BYTES:
                self._fd = os.open(last.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
                self._size = last.size
        except OSError as exc:
            raise self._told(exc) from exc

    def turn_to(self, chain: bytes) -> None:
        """Go on with another chain, in a segment of its own. Reads nothing: the next guest waits for it."""
        if chain != self._chain:
            self._seqs[self._chain] = self.seq
            self.close()
            self._chain, self.seq = chain, self._seqs.get(chain, 0)

    def close(self) -> None:
        """Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def append(self, events: Sequence[Kept], seq: int, head: bytes) -> bool:
        """Write events as they stand after the commit that ended with ``seq``, and sync. True when a segment is full.

        Raises OutboxUnavailable; what was half written is then left behind in a segment that is not used again.
        """
        held = b"".join(_frame(kept, seq, head).to_bytes() for kept in events)
        try:
            full = self._fd < 0 or self._size >= SEGMENT_BYTES
            if full:
                self._roll()
            self._write(held)
            os.fdatasync(self._fd)
        except OSError as exc:
            self.close()  # whatever half of it is on the disk: nothing is appended behind it
            raise self._told(exc) from exc
        self.seq = max(self.seq, seq)
        return full

    def _roll(self) -> None:
        self.close()
        name = f"segment-{self._number + 1:08}.log"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd, self._size = os.open(self._folder / name, flags, 0o600), 0
        self._number += 1
        self._write(Frame(Kind.CHAIN, _NOBODY, 0, 0, json.dumps({"chain": self._chain.hex()}).encode()).to_bytes())
        sync_folder(self._folder)

    def _write(self, held: bytes) -> None:
        left = memoryview(held)
        while left:
            left = left[os.write(self._fd, left) :]
        self._size += len(held)

    def _told(self, exc: OSError) -> OutboxUnavailable:
        return OutboxUnavailable(f"outbox second copy: {exc.strerror}; check [outbox] second_copy_dir and its disk")


def _chain_of(frame: Frame | None) -> bytes:
    try:
        return b"" if frame is None else bytes.fromhex(json.loads(frame.body)["chain"])
    except (ValueError, KeyError, TypeError):
        return b""


def _frame(kept: Kept, seq: int, head: bytes) -> Frame:
    kind = Kind.ROW if kept.parts else Kind.STATE
    return Frame(kind, kept.record, kept.revision, seq, kept.to_body(head))
