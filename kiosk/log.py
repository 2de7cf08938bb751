"""The log: one rotating file in the state folder, and the terminal unless it is to stay quiet.

Every handler stands behind ``kiosk.redaction``. Uncaught errors of any thread, and warnings, end here too.
A full disk or a closed terminal costs the line, never the caller.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sys
import threading
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from typing_extensions import override

from kiosk.redaction import RedactingFilter

FILE_BYTES = 2_000_000
FILES_KEPT = 5
"""Older files beside the present one: at most 12 MB in all."""

log = logging.getLogger(__name__)


def configure(state_dir: Path, quiet: bool = False) -> None:
    """Send every logger of this process to ``state_dir/log/kiosk.log`` and, unless ``quiet``, to stderr.

    May be called again, also with another folder: the handlers of the earlier call are closed. Several
    processes may log into one folder: the vision process beside the kiosk, a doctor beside both.
    Raises OSError when the folder cannot be made or written.
    """
    folder = state_dir / "log"
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)  # mkdir gives its mode to the last folder only
    handlers: list[logging.Handler] = [SharedFile(folder / "kiosk.log")]
    if not quiet:
        handlers.append(Terminal())
    root = logging.getLogger()
    unconfigure()
    for handler in handlers:
        handler.addFilter(RedactingFilter())
        handler.setFormatter(Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def unconfigure() -> None:
    """Take away what ``configure`` set up, and nothing else. Safe without it."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, SharedFile | Terminal)]:
        root.removeHandler(handler)
        handler.close()
    logging.captureWarnings(capture=False)
    if sys.excepthook is _uncaught:
        sys.excepthook = sys.__excepthook__
    if threading.excepthook is _uncaught_in_thread:
        threading.excepthook = threading.__excepthook__


class Lines(logging.Formatter):
    """Local time with its offset from UTC; a message's further lines are indented, so that none poses as an entry."""

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return ISO 8601 with milliseconds, such as ``2026-06-01T12:00:00.123+08:00``."""
        return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the entry; what follows its first line is indented."""
        return "\n    ".join(super().format(record).splitlines())


class SharedFile(RotatingFileHandler):
    """A rotating file of mode 0600 that several processes may append to.

    Rotation happens under a lock on the folder; who finds the file rotated away by another opens the new one.
    """

    def __init__(self, path: Path, max_bytes: int = FILE_BYTES, kept: int = FILES_KEPT) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=kept, encoding="utf-8", errors="backslashreplace")
        self.lost = 0

    @override
    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(fd, 0o600)
        return open(fd, "a", encoding=self.encoding, errors=self.errors)  # noqa: PTH123  an open descriptor

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Append one entry, in the file that stands there now."""
        try:
            self._follow()
        except OSError:
            self.lost += 1
            return
        super().emit(record)

    @override
    def doRollover(self) -> None:
        """Rotate, unless another process has just done so."""
        folder = os.open(Path(self.baseFilename).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if not self._follow():
                super().doRollover()
        finally:
            os.close(folder)

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Count a line that could not be written; telling it on the terminal for each line would help nobody."""
        self.lost += 1

    def _follow(self) -> bool:
        """Open the present file if this one was rotated away; say whether it was."""
        if self.stream is None:
            return False
        mine = os.fstat(self.stream.fileno())
        try:
            there = Path(self.baseFilename).stat()
        except FileNotFoundError:
            there = None
        if there is not None and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
            return False
        fresh = self._open()
        self.stream.close()
        self.stream = fresh
        return True


class Terminal(logging.Handler):
    """Writes to whatever ``sys.stderr`` is at the moment; a closed one is no error."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write one entry."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(self.format(record) + "\n")


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("uncaught %s", kind.__name__, exc_info=(kind, error, trace))
    if sys.stderr is not None and not any(isinstance(one, Terminal) for one in logging.getLogger().handlers):
        sys.stderr.write(f"stopped by {kind.__name__}; the log file says where\n")


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or args.exc_type is SystemExit:
        return
    name = args.thread.name if args.thread is not None else "?"
    log.critical("uncaught in thread %s", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
