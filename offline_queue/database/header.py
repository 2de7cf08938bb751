"""Whose database a file is, judged by its bytes before SQLite may touch it.

The newest header may still lie in the write-ahead log: a newer program that was cut off right after its migration
leaves it there, and merely opening and closing the file would copy it over.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue.migrations import APPLICATION_ID, VERSION

_HEADER_BYTES = 100
_LOG_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_LOG_MAGIC = (0x377F0682, 0x377F0683)
_FLIPPED_BITS, _FUTURE = 2, 200
"""So near to our name in the header, or so many versions ahead, is damage and no other program's or newer file."""


def refuse_foreign(path: Path) -> None:
    """Raise OutboxDamaged for what is no database, OutboxUnavailable for a newer or another program's one."""
    header = _read(path)
    if not header:
        return
    if len(header) < _HEADER_BYTES or not header.startswith(b"SQLite format 3\0"):
        raise OutboxDamaged(f"outbox {path.name}: not a database; it was left untouched, set it aside")
    for seen in filter(None, (header, _newest_in_log(path.with_name(path.name + "-wal")))):
        _judge(path, *_version_and_name(seen))


def refuse_newer(path: Path, version: int) -> None:
    """Raise OutboxUnavailable for a schema that this program does not know."""
    if version > VERSION:
        raise OutboxUnavailable(
            f"outbox {path.name}: schema {version} is newer than {VERSION}, which this program knows; "
            "it was left untouched, start the newer program"
        )


def _judge(path: Path, version: int, application: int) -> None:
    if 0 < (application ^ APPLICATION_ID).bit_count() <= _FLIPPED_BITS or version > VERSION + _FUTURE:
        raise OutboxDamaged(f"outbox {path.name}: its header is damaged; it was left untouched, set it aside")
    if application not in (0, APPLICATION_ID):
        raise OutboxUnavailable(f"outbox {path.name}: another program's database; it was left untouched")
    refuse_newer(path, version)


def _version_and_name(header: bytes) -> tuple[int, int]:
    return struct.unpack_from(">I", header, 60)[0], struct.unpack_from(">I", header, 68)[0]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise OutboxUnavailable(f"outbox {path.name}: {exc.strerror}; check the disk") from exc


def _newest_in_log(log: Path) -> bytes:
    """Return the header as the log's last commit left it; empty when the log does not change it.

    Checksums are SQLite's to check: a frame that it would not take makes us refuse too much at the worst.
    """
    try:
        with log.open("rb") as file:
            return _newest_of(file)
    except OSError:
        return b""


def _newest_of(file: BinaryIO) -> bytes:
    head = file.read(_LOG_HEADER_BYTES)
    if len(head) < _LOG_HEADER_BYTES or struct.unpack_from(">I", head)[0] not in _LOG_MAGIC:
        return b""
    page_bytes: int = struct.unpack_from(">I", head, 8)[0]
    salts, drafted, newest = head[16:24], b"", b""
    while len(frame := file.read(_FRAME_HEADER_BYTES)) == _FRAME_HEADER_BYTES and frame[8:16] == salts:
        page, pages_after_commit = struct.unpack_from(">II", frame)
        if page == 1:
            drafted = file.read(_HEADER_BYTES)
            file.seek(page_bytes - len(drafted), 1)
        else:
            file.seek(page_bytes, 1)
        if pages_after_commit:
            newest = drafted
    return newest if len(newest) == _HEADER_BYTES and newest.startswith(b"SQLite format 3\0") else b""
