"""Setting a damaged database aside: two renames, and the next guest has a new one.

``queue.db.damaged-<utc>-<n>`` lies beside the store until it is salvaged, then what is left of it goes to
``quarantine/<utc>-<n>/``, without any wrapped data key. A kill between any two steps is put right at the next start:
the log is always renamed before the database it belongs to, so a log without a database says where it stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk.durable import sync_folder, write_whole
from kiosk.errors import OutboxUnavailable
from offline_queue.recovery.carving import table_of
from offline_queue.recovery.cells import cells
from offline_queue.recovery.file_bytes import read
from offline_queue.recovery.keyring import LONGEST_WRAPPED
from offline_queue.recovery.pages import blocks

FOLDER = "quarantine"
REPORT = "report.json"
_BESIDE = ("-journal", "-wal")
_NAME = re.compile(r".+\.damaged-(\d{8}T\d{6}Z-(\d+))")
_KEPT_FOLDER = re.compile(r"\d{8}T\d{6}Z-(\d+)")
_KEY_ROW = re.compile(rb"(?:text|id|live)[a-z0-9-]{2,16}:[0-9a-f]{24,80}")
"""How a row of ``data_key`` looks in any page, log or leftover: part, recipient and key's name stand side by side."""
_BLOCKS, _BREATH_S = 100, 0.001


@dataclass(frozen=True, slots=True)
class Damaged:
    """A database that was set aside, with its log."""

    base: Path

    @property
    def log(self) -> Path:
        return self.base.with_name(self.base.name + "-wal")

    @property
    def name(self) -> str:
        """``<utc>-<n>``."""
        found = _NAME.fullmatch(self.base.name)
        return found[1] if found else ""

    @property
    def number(self) -> int:
        return int(self.name.rpartition("-")[2] or 0)


def waiting(store: Path) -> list[Damaged]:
    """Return what was set aside beside ``store`` and is not salvaged yet, oldest first."""
    found = [Damaged(path) for path in store.parent.glob(f"{store.name}.damaged-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda damaged: damaged.number)


def witnessed(damaged: Damaged) -> str:
    """Name of the fact that says how long its chain was when it was set aside."""
    return f"witnessed {damaged.name}"


def set_aside(store: Path, wall: float, *, opening: bool) -> Damaged:
    """Rename the closed store and its log. Durable before it returns; needs no room. Raises OutboxUnavailable.

    ``opening``: nothing was committed since the log was kept, so that what was kept is more than what lies there.
    """
    damaged = _next(store, wall)
    try:
        if opening:
            _rename(_kept_log(store), damaged.log)
        _set_base_aside(store, damaged)
    except OSError as exc:
        raise _stuck(store, exc) from exc
    return damaged


def rescue(store: Path, inode: int, wall: float) -> Damaged | None:
    """Copy an open database whose name another file took, while a descriptor of this process still leads to it.

    The caller emptied its log before. None when nothing leads to it any more. Raises OSError.
    """
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if fd.stat().st_ino == inode:
                damaged = _next(store, wall)
                out = os.open(damaged.base, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with fd.open("rb") as source, os.fdopen(out, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                    target.flush()
                    os.fsync(target.fileno())
                sync_folder(store.parent)
                return damaged
    return None


def finish_cut_off(store: Path) -> bool:
    """Finish what a kill cut off between two renames; say whether there was anything. Raises OutboxUnavailable."""
    halves = [
        path.with_name(path.name.removesuffix(suffix))
        for suffix in _BESIDE
        for path in store.parent.glob(f"{store.name}.damaged-*{suffix}")
    ]
    cut = sorted({half for half in halves if not half.exists()})
    try:
        for base in cut:
            _set_base_aside(store, Damaged(base))
    except OSError as exc:
        raise _stuck(store, exc) from exc
    return bool(cut)


def log_of(store: Path) -> Path:
    return store.with_name(store.name + "-wal")


def log_without_base(store: Path) -> bool:
    """Say whether a log lies there whose database is gone or empty: SQLite would throw the log away."""
    return _size(log_of(store)) > 0 and _size(store) == 0


def keep_log(store: Path) -> None:
    """Copy a torn log before SQLite empties it: the store may turn out to lack what was in it. Raises OSError."""
    kept = _kept_log(store)
    if not kept.exists():
        write_whole(kept, log_of(store).read_bytes())


def drop_kept_log(store: Path) -> None:
    """The store lacks nothing: the copy of its torn log, with the keys in it, goes."""
    kept = _kept_log(store)
    if kept.exists():
        with kept.open("r+b") as file:
            file.write(bytes(_size(kept)))
            os.fsync(file.fileno())
        kept.unlink()


def _kept_log(store: Path) -> Path:
    return store.with_name(store.name + "-wal.kept")


def put_away(store: Path, damaged: Damaged, report: Mapping[str, object]) -> Path:
    """Move what is left to quarantine; its keys are wiped before. Can be done again from anywhere. Raises OSError."""
    target = store.parent / FOLDER / damaged.name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    target.mkdir(mode=0o700, exist_ok=True)
    write_whole(target / REPORT, json.dumps(report, indent=1).encode())
    for suffix in (*_BESIDE, ""):  # the base last, or the next start would take its log for a cut-off quarantine
        _rename(damaged.base.with_name(damaged.base.name + suffix), target / (store.name + suffix))
    for folder in (target, target.parent, store.parent):
        sync_folder(folder)
    return target


def prune(store: Path, before: float) -> int:
    """Remove what was put away before a moment, but for its reports and what is another kiosk's. Raises OSError."""
    removed = 0
    for report in (store.parent / FOLDER).glob(f"*/{REPORT}"):
        if report.stat().st_mtime >= before or json.loads(report.read_bytes()).get("foreign"):
            continue
        for path in report.parent.glob(f"{store.name}*"):
            path.unlink()
            removed += 1
    return removed


def wipe_keys(damaged: Damaged, stopping: threading.Event) -> bool:
    """Overwrite every wrapped data key in database and log, whatever page it lies in, and sync.

    A page that a failing disk does not give any more is overwritten whole, for the sector may be read again one day.
    False when it was stopped: it can be done again. Raises OSError.
    """
    if not damaged.base.exists():
        return True
    places = list(blocks(damaged.base, damaged.log))
    size = max((length for _, _, length in places), default=0)
    for path in {path for path, _, _ in places}:
        with path.open("r+b") as file:
            for number, (at, length) in enumerate((at, length) for where, at, length in places if where == path):
                if number % _BLOCKS == 0 and stopping.wait(_BREATH_S):
                    return False
                held, readable = read(file.fileno(), at, length)
                if (wiped := _wiped(held, size)) != held or not readable:
                    os.pwrite(file.fileno(), wiped, at)
            os.fsync(file.fileno())
    return True


def _wiped(held: bytes, size: int) -> bytes:
    rows = any(table_of(cell.values) == "data_key" for cell in cells(held, size, lambda number: b""))
    found = list(_KEY_ROW.finditer(held))
    if rows or len(found) > 1:
        return bytes(len(held))  # a page of keys: one whose name was hit is not looked for, it goes with the others
    wiped = bytearray(held)
    for match in found:
        end = min(match.end() + LONGEST_WRAPPED, len(held))
        wiped[match.start() : end] = bytes(end - match.start())
    return bytes(wiped)


def _set_base_aside(store: Path, damaged: Damaged) -> None:
    for suffix in _BESIDE:
        beside, aside = store.with_name(store.name + suffix), damaged.base.with_name(damaged.base.name + suffix)
        if aside.exists():
            beside.unlink(missing_ok=True)
        else:
            _rename(beside, aside)
    if store.exists():
        store.rename(damaged.base)
    else:  # lost: its name stands for it, so that the log is not taken for a cut-off quarantine again and again
        os.close(os.open(damaged.base, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    sync_folder(store.parent)


def _stuck(store: Path, exc: OSError) -> OutboxUnavailable:
    return OutboxUnavailable(
        f"outbox {store.name}: damaged, and cannot be set aside: {exc.strerror}; "
        "fix: check the disk, and that this user may write in its folder"
    )


def _next(store: Path, wall: float) -> Damaged:
    """Name the next one that is set aside."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall))
    return Damaged(store.with_name(f"{store.name}.damaged-{stamp}-{_next_number(store)}"))


def _next_number(store: Path) -> int:
    folder = store.parent / FOLDER
    kept = [_KEPT_FOLDER.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(found[1]) for found in kept if found] + [damaged.number for damaged in waiting(store)]
    return max(numbers, default=0) + 1


def _rename(source: Path, target: Path) -> None:
    if source.exists():
        source.rename(target)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
