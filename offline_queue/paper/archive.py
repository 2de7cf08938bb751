"""The encrypted archive: a ZIP with AES-256 that 7-Zip and its like open. Nothing is written before it is sealed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyzipper
from typing_extensions import Buffer, override

from kiosk.durable import sync_folder
from kiosk.errors import OperationalError

SHORTEST_PASSPHRASE = 16
"""Signs. The format stretches a passphrase by 1,000 rounds only, so its length must carry the load."""
PART = ".part"
"""Ends the name of an archive under way: what a killed export leaves is no archive, and nobody can open it."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 5, 4


def new_passphrase() -> str:
    """Return five groups of four signs that nobody mistakes for others: 99 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


class _Sink(io.FileIO):
    """The file; remembers that it could not be written, and lets the ZIP come to its end.

    ``ZipFile`` that meets an error in the middle of a file cannot be closed any more, and says so on stderr.
    """

    failed: OSError | None = None

    @override
    def write(self, data: Buffer) -> int:
        left = memoryview(data).cast("B")
        whole = len(left)
        try:
            while left and self.failed is None:
                left = left[super().write(left) or 0 :]
        except OSError as exc:
            self.failed = exc
        return whole

    def check(self) -> None:
        """Raise the error that was met."""
        if self.failed is not None:
            raise self.failed


@dataclass(slots=True)
class Archive:
    """A ZIP under way; what is added is compressed and sealed in memory, then written."""

    zip: pyzipper.AESZipFile
    sink: _Sink

    def add(self, name: str, data: bytes) -> str:
        """Add a file and return its SHA-256. ``name`` stays readable without the passphrase. Raises OSError."""
        self.zip.writestr(name, data)
        self.sink.check()
        return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def new_archive(path: Path, passphrase: str, comment: str) -> Iterator[Archive]:
    """Make an archive that only its owner may read; what is left of a failed one is removed again.

    Args:
        path: A new file; one that exists is not overwritten.
        passphrase: At least SHORTEST_PASSPHRASE signs.
        comment: ASCII, readable without the passphrase.

    Raises:
        OperationalError: The file cannot be made or written.
    """
    part = path.with_name(path.name + PART)
    fd = _claim(path, part)
    try:
        with _Sink(fd, "w+") as file:
            yield from _sealing(file, passphrase, comment)
            file.check()
            os.fsync(file.fileno())
        part.rename(path)  # only a whole one has the name that a clerk looks for
        sync_folder(path.parent)
    except BaseException as exc:
        part.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise OperationalError(
                f"export: {path}: {exc.strerror or exc}; half an archive was removed again. Fix: free its disk"
            ) from exc
        raise


def _claim(path: Path, part: Path) -> int:
    try:
        if path.is_symlink() or path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        # No O_TRUNC and no following of links: an export never replaces anything
        return os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise OperationalError(
            f"export: {path}: {exc.strerror}; nothing was written. Fix: name a folder or a new file on a disk "
            "that this user may write"
        ) from exc


def _sealing(file: _Sink, passphrase: str, comment: str) -> Iterator[Archive]:
    with pyzipper.AESZipFile(file, "w", compression=pyzipper.ZIP_DEFLATED) as made:
        # Version 2 of the format: version 1 tells everybody each file's checksum
        made.setencryption(pyzipper.WZ_AES, nbits=256, force_wz_aes_version=pyzipper.zipfile_aes.WZ_AES_V2)
        made.setpassword(passphrase.encode())
        made.comment = comment.encode("ascii")
        yield Archive(made, file)
