"""A file system below SQLite that writes down everything done to one folder, and fails when it is told to.

The files are real ones: SQLite's reach the folder through here, the product's other files (key, second copy,
witness …) are compared with what they were at every sync of theirs and at every write of SQLite's.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
from typing_extensions import override

from kiosk.chaos.tape import Cut, Lost, Mark, Name, Op, Sync, SyncNames, Write

_IGNORED = frozenset({"queue.lock", "queue.sock"})
"""They mean nothing after a restart."""
_numbers = itertools.count(1)


@dataclass(slots=True)
class Trouble:
    """A disk that refuses. ``at`` counts the writes (or syncs) of SQLite from the moment it was put in."""

    code: int
    """The result of SQLite: ``apsw.SQLITE_FULL``, ``SQLITE_IOERR_WRITE``, ``SQLITE_IOERR_FSYNC`` …"""
    calls: frozenset[str]
    """Which of ``write``, ``truncate`` and ``sync`` it hits."""
    at: int
    lasting: bool
    seen: int = 0
    hit: int = 0

    def meets(self, call: str) -> None:
        """Count a call. Raises apsw.Error when it is this one's turn."""
        if call not in self.calls:
            return
        self.seen += 1
        if self.seen == self.at or (self.lasting and self.seen > self.at):
            self.hit += 1
            raise _refusal(self.code)


def _refusal(code: int) -> apsw.Error:
    refusal = apsw.exception_for(code)
    assert isinstance(refusal, apsw.Error)  # noqa: S101 - every code that we ask for is an error
    refusal.args = (f"the disk refuses: {apsw.mapping_extended_result_codes.get(code) or code}",)
    return refusal


@dataclass(slots=True)
class _Seen:
    """A file that SQLite does not write, as it was last looked at."""

    data: bytes = field(repr=False)
    stamp: tuple[int, int]


class Disk:
    """One folder's file system, by the name ``vfs``. Close it when its connections are closed."""

    def __init__(self, folder: Path, *, lying: bool = False) -> None:
        """Register the file system.

        Args:
            folder: Whose files are written down.
            lying: Syncs return at once and nothing is durable: the disk that a control stands on.
        """
        self.folder, self.lying = folder, lying
        self.tape: list[Op] = []
        self.trouble: Trouble | None = None
        self.vfs = f"chaos-{os.getpid()}-{next(_numbers)}"
        self._by_sqlite: set[str] = set()
        self._others: dict[str, _Seen] = {}
        self._inodes: dict[int, str] = {}
        self._registered = _Vfs(self)

    def close(self) -> None:
        self._registered.unregister()

    def know(self) -> None:
        """Take what lies in the folder now as the beginning, which nothing is written down of."""
        self.look(deep=True)
        self.tape.clear()

    def mark(self, step: int) -> None:
        """A step of the play was acknowledged."""
        self.look(deep=True)
        self.tape.append(Mark(step))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While the block runs, syncs that the product's own code makes are written down, too."""
        real = os.fsync, os.fdatasync
        os.fsync = lambda fd: self._heard(_number(fd), real[0])
        os.fdatasync = lambda fd: self._heard(_number(fd), real[1])
        try:
            yield
        finally:
            os.fsync, os.fdatasync = real

    def look(self, *, deep: bool = False) -> None:
        """Write down what changed in the files that are not SQLite's. ``deep``: without trusting time stamps."""
        inodes = {name: inode for name, inode in _files(self.folder) if name not in _IGNORED}
        self._names(inodes)
        for name in inodes:
            if name not in self._by_sqlite:
                self._contents(name, deep=deep)

    def opened(self, name: str) -> None:
        """SQLite has this file open, or is about to make it."""
        if name not in self._by_sqlite:
            self.look()
            self._by_sqlite.add(name)
            self._others.pop(name, None)

    def removed(self, name: str, *, durable: bool) -> None:
        """SQLite removed a file."""
        self._by_sqlite.discard(name)
        self._inodes = {inode: known for inode, known in self._inodes.items() if known != name}
        self.tape.append(Name(name, there=False))
        if durable and not self.lying:
            self.tape.append(SyncNames())

    def synced(self, name: str) -> None:
        if not self.lying:
            self.tape.append(Sync(name))

    def _names(self, inodes: dict[str, int]) -> None:
        known = {name: inode for inode, name in self._inodes.items()}
        for name, inode in inodes.items():
            if known.get(name) == inode:
                continue
            was = self._inodes.get(inode, "")
            if was and was not in inodes:
                self._move(was, name)
            elif name not in known:
                self.tape.append(Name(name, there=True))
        for name in known.keys() - inodes.keys():
            if self._inodes[known[name]] == name and known[name] not in inodes.values():
                self.tape.append(Name(name, there=False))
                self._others.pop(name, None)
                self._by_sqlite.discard(name)
        self._inodes = {inode: name for name, inode in inodes.items()}

    def _move(self, was: str, name: str) -> None:
        self.tape.append(Name(name, there=True, was=was))
        if was in self._by_sqlite:
            self._by_sqlite.discard(was)
            self._by_sqlite.add(name)
        elif was in self._others:
            self._others[name] = self._others.pop(was)

    def _contents(self, name: str, *, deep: bool) -> None:
        try:
            stat = (self.folder / name).stat()
            stamp, seen = (stat.st_size, stat.st_mtime_ns), self._others.get(name, _Seen(b"", (0, 0)))
            if stamp == seen.stamp and not deep:
                return
            data = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return
        if data != seen.data:
            self.tape += _difference(name, seen.data, data)
        self._others[name] = _Seen(data, stamp)

    def _heard(self, fd: int, real: Callable[[int], None]) -> None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        ours = path.is_relative_to(self.folder)
        if ours:
            self.look(deep=True)
        real(fd)
        if ours and not self.lying:
            name = "" if path == self.folder else path.relative_to(self.folder).as_posix()
            self.tape.append(SyncNames(name) if path.is_dir() else Sync(name))


def _difference(name: str, old: bytes, new: bytes) -> Iterator[Op]:
    """Say how the bytes came to be: one write from the first to the last byte that differs."""
    if len(new) < len(old):
        yield Cut(name, len(new))
    first = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    last = len(new)
    while last > first and last <= len(old) and old[last - 1] == new[last - 1]:
        last -= 1
    if last > first:
        yield Write(name, first, new[first:last])


def _files(folder: Path, before: str = "") -> Iterator[tuple[str, int]]:
    """Yield name and inode of each file, those of inner folders too."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(folder / entry.name, f"{before}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield before + entry.name, entry.inode()


def _number(fd: object) -> int:
    return fd if isinstance(fd, int) else fd.fileno()  # type: ignore[attr-defined]


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(disk.vfs, "")

    @override
    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        if name is None:
            return super().xOpen(name, flags)
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        if path.parent != self._disk.folder:
            return super().xOpen(name, flags)
        return _File(self._disk, path.name, name, flags)

    @override
    def xDelete(self, name: str, syncdir: bool) -> None:
        super().xDelete(name, syncdir)
        self._disk.removed(Path(name).name, durable=syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str, given: str | apsw.URIFilename, flags: list[int]) -> None:
        self._disk, self._name = disk, name
        disk.opened(name)
        super().__init__("", given, flags)
        disk.look()

    @override
    def xWrite(self, data: bytes, offset: int) -> None:
        self._meet("write")
        super().xWrite(data, offset)
        self._disk.tape.append(Write(self._name, offset, bytes(data)))

    @override
    def xTruncate(self, size: int) -> None:
        self._meet("truncate")
        super().xTruncate(size)
        self._disk.tape.append(Cut(self._name, size))

    @override
    def xSync(self, flags: int) -> None:
        try:
            self._meet("sync")
        except apsw.Error:
            # A kernel that could not write a page forgets that it should: no later sync brings it to the disk
            self._disk.tape.append(Lost(self._name))
            raise
        self._disk.synced(self._name)

    def _meet(self, call: str) -> None:
        self._disk.look()
        if self._disk.trouble is not None:
            self._disk.trouble.meets(call)
