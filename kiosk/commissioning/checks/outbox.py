"""The outbox: of a running kiosk by its socket, else by opening it for a moment."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.config import Config
from kiosk.errors import KioskError
from offline_queue.answering import asking
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry, Row, as_object
from offline_queue.crypto import tpm
from offline_queue.crypto.sealing import TEXT
from offline_queue.due import Due
from offline_queue.keys import load, successor_of
from offline_queue.owner import KEY_FILE, SOCKET_FILE, STORE_FILE, OutboxOwner
from offline_queue.states import EventState

_NAME = "outbox"
_PROBE = bytes(32)
_DECISIONS = (EventState.REJECTED, EventState.QUARANTINED)


def kiosk_runs(config: Config) -> bool:
    """Say whether a kiosk answers on this state folder's socket. Raises OutboxUnavailable for one of another user."""
    sock = asking.call(config.kiosk.state_dir / SOCKET_FILE)
    if sock is None:
        return False
    sock.close()
    return True


def findings(config: Config) -> list[Finding]:
    """Test key, store and what waits in it; blocks below a second for each 1,000 records that wait."""
    state_dir = config.kiosk.state_dir
    if not (state_dir / KEY_FILE).exists() and not (state_dir / STORE_FILE).exists():
        empty = Finding(
            _NAME, Result.OK, "none yet: the first start makes it, with a key of its own", "", Capability.RECORDS
        )
        return [empty, *_tpm(config), _faces([])]
    try:
        (status,), waiting = _ask(config)
    except KioskError as exc:
        meaning = f"{exc}. Nothing can be registered, so no key is given"
        return [Finding(_NAME, Result.FAIL, meaning, "mend that before the kiosk is started", Capability.RECORDS)]
    return [key(config), _waiting(status), *_recovery(status), _faces(waiting)]


def key(config: Config) -> Finding:
    """Look at the key file, without which nothing that waits can be read."""
    path, wanted = config.kiosk.state_dir / KEY_FILE, config.outbox.key_store
    try:
        found = load(path, config.outbox.tpm_tcti)
    except KioskError as exc:
        return Finding("outbox key", Result.FAIL, str(exc), "mend the file named there", Capability.RECORDS)
    where = "sealed in this machine's TPM" if found.kept_in == "tpm" else "there, readable by this user alone"
    if successor_of(path).exists():
        return Finding("outbox key", Result.WARN, f"{where}; its change was cut off", "./run queue rotate-keys")
    if found.kept_in != wanted:
        meaning = f"{where}; outbox.key_store says {wanted}"
        return Finding("outbox key", Result.WARN, meaning, "./run queue rotate-keys moves it")
    return Finding("outbox key", Result.OK, where, "", Capability.RECORDS)


def _tpm(config: Config) -> list[Finding]:
    """Try before the first start whether the TPM seals and opens: a key in it cannot be made later by hand."""
    if config.outbox.key_store != "tpm":
        return []
    try:
        whole = tpm.unseal(tpm.seal(_PROBE, config.outbox.tpm_tcti), config.outbox.tpm_tcti) == _PROBE
    except KioskError as exc:
        return [Finding("TPM", Result.FAIL, str(exc), "or set outbox.key_store to file", Capability.RECORDS)]
    if not whole:
        return [Finding("TPM", Result.FAIL, "it gave back something else", "replace the board", Capability.RECORDS)]
    return [Finding("TPM", Result.OK, "seals and opens; the first start puts the outbox key into it")]


def private(path: Path) -> bool:
    """Say whether only the owner may read a file."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def _ask(config: Config) -> tuple[list[Row], list[Row]]:
    """Return the status and the records that wait."""
    state_dir = config.kiosk.state_dir

    def running(inquiry: Inquiry) -> list[Row] | None:
        sock = asking.call(state_dir / SOCKET_FILE)
        return None if sock is None else list(asking.rows(sock, inquiry))

    status = running(Inquiry("status"))
    if status is not None:
        return status, running(Inquiry("waiting")) or []
    kiosk = config.kiosk
    owner = OutboxOwner.open(state_dir, kiosk.hotel_code, kiosk.kiosk_id, config.outbox, make_key=False)
    with closing(owner):
        answers = Answers(owner)
        return list(answers.rows(Inquiry("status"), "doctor")), list(answers.rows(Inquiry("waiting"), "doctor"))


def _waiting(status: Row) -> Finding:
    counts = status.get("counts")
    known: dict[str, int] = counts if isinstance(counts, dict) else {}
    told = ", ".join(f"{n} {state}" for state, n in known.items()) or "empty"
    age = status.get("oldest_unsent_s")
    seen = told + (f"; the oldest unsent waits {_minutes(age)}" if isinstance(age, int | float) else "")
    if status.get("due") == Due.ALARM:
        meaning = f"{seen}: the time to report it is over"
        return Finding(_NAME, Result.FAIL, meaning, "./run queue export TO writes the form for the police station")
    if any(known.get(state, 0) for state in _DECISIONS):
        meaning = f"{seen}: what is rejected or cannot be opened waits for a person"
        return Finding(_NAME, Result.WARN, meaning, "./run queue list")
    if status.get("due") in (Due.AMBER, Due.RED):
        return Finding(_NAME, Result.WARN, f"{seen}: half of the time to report it is gone", "./run queue status")
    return Finding(_NAME, Result.OK, seen, "", Capability.RECORDS)


def _recovery(status: Row) -> Iterator[Finding]:
    """Tell of a damaged database that is not brought back yet, and of a second copy that lags."""
    mending, copy = as_object(status.get("mending")), as_object(status.get("copy"))
    if mending.get("waiting"):
        meaning = "a damaged database is set aside, what is in it is not back yet"
        yield Finding("outbox recovery", Result.WARN, meaning, "./run queue salvage")
    if copy.get("behind") and copy.get("why"):  # without a reason it is only being brought up to date
        yield Finding(
            "second copy",
            Result.WARN,
            f"behind: {copy['why']}",
            "see to outbox.second_copy_dir; it catches up by itself",
        )


def _faces(waiting: list[Row]) -> Finding:
    photos = sum(1 for part in _parts(waiting) if part != TEXT)
    meaning = f"no template is ever written; {photos} photos lie sealed until their receipt"
    return Finding("stored faces", Result.OK, meaning)


def _parts(waiting: list[Row]) -> Iterator[object]:
    for row in waiting:
        parts = row.get("parts")
        yield from parts if isinstance(parts, list) else ()


def _minutes(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.0f} min"
