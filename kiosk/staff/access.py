"""Whether a PIN unlocks the staff sheet, and for whom. Wrong ones are counted across restarts.

A PIN alone says who it is, so wrong ones are nobody's: they count for the kiosk as a whole. Each row of
``pin_tries`` wrong ones locks it, the first time for ``lockout_s``, then twice as long each time, at most an
hour, until a right one.
"""

from __future__ import annotations

import hmac
import logging
import math
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TextIO

import argon2
from argon2.exceptions import VerificationError

from kiosk.config import StaffSection
from kiosk.errors import OperationalError
from kiosk.staff import operators
from kiosk.staff.operators import FLOOR, Cost, Operator
from kiosk.state import LONGEST_LOCK_S, StateStore

log = logging.getLogger(__name__)

KIOSK = "kiosk"
"""Whose wrong PINs are counted."""
ONE_TIME = Operator("one-time-pin", "manager")
"""Who unlocks with the one-time PIN: no name is known, and the record says so."""
LONGEST_PIN = 64


@dataclass(frozen=True, slots=True)
class Wrong:
    """Nobody's PIN."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class Locked:
    """Too many wrong PINs; a right one does not help before the time is over."""

    wait_s: int
    began_now: bool = False
    """This try was the one that locked."""


class StaffAccess:
    """The door to the staff sheet. One thread calls: a check takes 0.1 s for each operator.

    Without an operators file a PIN of six digits is made for this run and shown on the terminal, nowhere else.
    """

    def __init__(
        self,
        config: StaffSection,
        state: StateStore,
        now: Callable[[], datetime],
        *,
        floor: Cost = FLOOR,
        terminal: TextIO | None = None,
    ) -> None:
        """Raises ConfigError with every fault of the operators file."""
        self.now = now
        self._config = config
        self._state = state
        self._hasher = argon2.PasswordHasher()
        self._shut_until = 0.0
        self.one_time_pin: str | None = None
        self._operators: tuple[Operator, ...] = ()
        if config.operators_file is not None:
            self._operators = operators.load(config.operators_file, floor)
        else:
            self.one_time_pin = f"{secrets.randbelow(10**6):06}"
            _show_once(self.one_time_pin, terminal or sys.stderr)

    def check(self, pin: str) -> Operator | Wrong | Locked:
        """Say whose PIN this is. Takes as long for the first operator as for the last, and for nobody."""
        if wait_s := self.locked_for_s():
            return Locked(wait_s)
        owners = self._owners(pin)
        if len(owners) > 1:
            names = ", ".join(owner.name for owner in owners)
            log.error("staff: %s have the same PIN, so it unlocks for none; ./run pin NAME makes a new one", names)
        if len(owners) != 1:
            return self._failed()
        try:
            self._state.pin_cleared(KIOSK)
        except OperationalError as error:  # the right PIN was given: the count can wait
            log.warning("staff: %s", error)
        return owners[0]

    def locked_for_s(self) -> int:
        """Return the whole seconds until a PIN is taken again; 0 when it is now."""
        left_s = self._shut_until - time.monotonic()
        try:
            until = self._state.pin_locked_until(KIOSK)
        except OperationalError as error:
            log.warning("staff: %s", error)
            until = None
        if until is not None:
            left_s = max(left_s, (until - self.now()).total_seconds())
        return math.ceil(min(max(left_s, 0.0), LONGEST_LOCK_S))

    def _owners(self, pin: str) -> list[Operator]:
        known = len(pin) <= LONGEST_PIN
        if self.one_time_pin is not None:
            same = hmac.compare_digest(pin.encode("utf-8", "replace"), self.one_time_pin.encode())
            return [ONE_TIME] if same and known else []
        return [operator for operator in self._operators if self._matches(operator, pin[:LONGEST_PIN]) and known]

    def _matches(self, operator: Operator, pin: str) -> bool:
        try:
            return self._hasher.verify(operator.pin_hash, pin.encode("utf-8", "replace"))
        except VerificationError:
            return False

    def _failed(self) -> Wrong | Locked:
        tries = self._config.pin_tries
        try:
            failures = self._state.pin_failed(KIOSK, self.now())
            if failures % tries:
                return Wrong(tries - failures % tries)
            lock_s = min(self._config.lockout_s * 2 ** min(failures // tries - 1, 10), LONGEST_LOCK_S)
            self._state.lock_pin(KIOSK, self.now() + timedelta(seconds=lock_s))
        except OperationalError as error:
            log.error("staff: a wrong PIN could not be counted, so PINs are refused for a while: %s", error)
            lock_s = self._config.lockout_s
            self._shut_until = time.monotonic() + lock_s
        return Locked(math.ceil(lock_s), began_now=True)


def _show_once(pin: str, terminal: TextIO) -> None:
    if _is_journal(terminal):
        log.warning("staff: no operators file and no terminal: nobody can unlock the sheet; set staff.operators_file")
        return
    terminal.write(f"Staff PIN of this run: {pin}\n")
    terminal.flush()


def _is_journal(terminal: TextIO) -> bool:
    """Say whether what is written there is kept: systemd names the stream that leads to its journal."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(terminal.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))
