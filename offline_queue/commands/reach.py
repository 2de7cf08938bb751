"""Finding the outbox: of a running kiosk by its socket, else by opening the file that a stopped one left."""

from __future__ import annotations

import contextlib
import os
import pwd
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kiosk.audit import AUDIT_FILE, AuditLog
from kiosk.config import Config
from kiosk.errors import ConfigError, OutboxUnavailable
from offline_queue.answering import asking
from offline_queue.answering.answers import Answers, Auditing
from offline_queue.answering.inquiry import Inquiry, Row
from offline_queue.crypto import device_key
from offline_queue.owner import KEY_FILE, SOCKET_FILE, STORE_FILE, OutboxOwner

READ_ONLY_ASKS = frozenset({"status", "list", "show", "waiting", "verify"})
"""Those that write nothing into the audit."""
_ASKS_OF_DAMAGE = frozenset({"status", "verify", "salvage"})
"""Those that tell themselves of a damaged file that was set aside."""
_LOOK_S = 0.5


@contextlib.contextmanager
def answer(config: Config, inquiry: Inquiry, *, mended: bool = False) -> Iterator[Iterable[Row]]:
    """Ask, and give the rows as they come. Raises KioskError, each with what is wrong, where and the fix.

    ``mended``: a stopped kiosk's damaged file is brought back first also for what tells of damage itself.
    """
    state_dir = config.kiosk.state_dir
    _look(state_dir, store_needed=inquiry.ask != "salvage")
    kiosk = asking.call(state_dir / SOCKET_FILE)
    if kiosk is not None:
        with kiosk:
            yield asking.rows(kiosk, inquiry, _working)
        return
    _may_open(state_dir)
    with contextlib.ExitStack() as held:
        owner = open_owner(config)
        held.callback(owner.close)
        if mended or inquiry.ask not in _ASKS_OF_DAMAGE:
            _let_mend(owner)
        audit: Auditing | None = None
        if inquiry.ask not in READ_ONLY_ASKS:
            audit = AuditLog(state_dir / AUDIT_FILE)
            held.callback(audit.close)
        yield Answers(owner, audit=audit, kiosk=config.kiosk).rows(inquiry, f"uid {os.geteuid()}")


def rows(config: Config, inquiry: Inquiry) -> list[Row]:
    """Ask, and return the whole answer. Raises KioskError."""
    with answer(config, inquiry) as told:
        return list(told)


def row(config: Config, inquiry: Inquiry) -> Row:
    """Ask what has one row as its answer. Raises KioskError."""
    (only,) = rows(config, inquiry)
    return only


def damaged(config: Config) -> int:
    """Ask how many damaged files lie beside the outbox whose records are not back yet. Raises KioskError."""
    with answer(config, Inquiry("status"), mended=True) as told:
        (status,) = told
    mending = status.get("mending")
    waiting = mending.get("waiting") if isinstance(mending, dict) else None
    return waiting if isinstance(waiting, int) else 0


def _let_mend(owner: OutboxOwner) -> None:
    """A file that this very opening set aside holds records: nobody may hear before that there are none."""
    if not owner.mending.view.waiting:
        return
    sys.stderr.write("a damaged database is being brought back first …\n")
    view = owner.mending.wait(_LOOK_S)
    while view.running and not view.why:
        view = owner.mending.wait(_LOOK_S)


def open_owner(config: Config) -> OutboxOwner:
    """Open the outbox of a stopped kiosk. Raises OutboxUnavailable: held by another process, damaged, no key."""
    section = config.kiosk
    owner = OutboxOwner.open(section.state_dir, section.hotel_code, section.kiosk_id, config.outbox, make_key=False)
    with contextlib.suppress(ConfigError):  # a purge then leaves its receipts for the kiosk, which says what is wrong
        owner.device_key = device_key.configured(config.reporting)
    return owner


def _look(state_dir: Path, *, store_needed: bool) -> None:
    """Tell a folder without an outbox, or one that this user may not see, before anything is made in it."""
    try:
        names = {path.name for path in state_dir.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        names = set[str]()
    except OSError as exc:
        raise OutboxUnavailable(
            f"state folder {state_dir}: {exc.strerror}; nothing was read. Fix: {_as_its_user(state_dir)}"
        ) from exc
    if STORE_FILE in names:
        return
    if KEY_FILE not in names:
        raise OutboxUnavailable(
            f"no outbox yet in {state_dir}; it is made when the kiosk starts. "
            "Fix: ./run start, or give the right settings with --config"
        )
    if store_needed:
        raise OutboxUnavailable(
            f"outbox {STORE_FILE}: gone from {state_dir}, though its key is there; nothing was made. "
            "Fix: ./run queue salvage brings back what a second copy or a damaged file still holds"
        )


def _may_open(state_dir: Path) -> None:
    """Refuse to open a stopped kiosk's file as another user: what root makes beside it the kiosk could not open."""
    owner = state_dir.stat().st_uid
    if owner != os.geteuid():
        raise OutboxUnavailable(
            f"outbox in {state_dir}: belongs to {_user(owner)}, you are {_user(os.geteuid())}; "
            f"nothing was touched. Fix: {_as_its_user(state_dir)}"
        )
    if os.access(state_dir, os.W_OK | os.X_OK, effective_ids=True):
        return
    if os.statvfs(state_dir).f_flag & os.ST_RDONLY:
        raise OutboxUnavailable(
            f"outbox in {state_dir}: the disk is mounted read-only, as Linux does after an error; nothing was touched. "
            "Fix: look at the kernel's log (dmesg), then mount it for writing or copy the folder to a whole disk"
        )
    raise OutboxUnavailable(
        f"outbox in {state_dir}: this user may not write there, which locking needs; nothing was touched. "
        f"Fix: chmod 700 {state_dir}"
    )


def _as_its_user(state_dir: Path) -> str:
    try:
        name = _user(state_dir.stat().st_uid)
    except OSError:
        return "ask as the user that runs the kiosk"
    return f"ask as the user that runs the kiosk: sudo -u {name} ./run queue …"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _working(seconds: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"the kiosk works on it, {seconds:.0f} s …\n")
