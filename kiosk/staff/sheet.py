"""The staff sheet at the kiosk: PIN, reason, decision. It locks by itself, and every act is in the audit.

An approval counts only once the audit holds it; what takes nothing from a guest, trying again or ending the
visit, is done even when the audit cannot be written, and the log says so.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kiosk.checkin.events import Event, StaffApproved, StaffEnded, StaffRetried
from kiosk.model import Reason, StaffDecision
from kiosk.ports import Audit
from kiosk.staff.access import Locked, StaffAccess, Wrong
from kiosk.staff.duty import Duty
from kiosk.staff.operators import Operator
from kiosk.staff.resolutions import offered

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SheetState:
    """What the screen shows of the sheet. Times are whole seconds, rounded up."""

    stage: Literal["closed", "pin", "unlocked"] = "closed"
    message: Literal["", "pin.wrong", "pin.locked"] = ""
    wait_s: int = 0
    """Until a PIN is taken again."""
    operator: str = ""
    locks_in_s: int = 0
    reason: Reason | None = None
    """Why the guest waits; None when nobody does, or while the sheet is locked."""
    resolutions: tuple[str, ...] = ()
    duty: Duty | None = None
    """How the outbox stands; None while the sheet is locked, or when nobody can say."""


class StaffSheet:
    """All calls come from one thread, which may block for a check of the PIN; only ``is_open`` from any.

    ``show`` is called with each new state, ``says`` with each decision; neither may block. ``duty`` is asked each
    second while the sheet is unlocked and may take a moment.
    """

    def __init__(
        self,
        access: StaffAccess,
        audit: Audit,
        says: Callable[[Event], None],
        show: Callable[[SheetState], None],
        unlock_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        duty: Callable[[], Duty | None] = lambda: None,
    ) -> None:
        self._access = access
        self._audit = audit
        self._says = says
        self._show = show
        self._unlock_s = unlock_s
        self._clock = clock
        self._duty = duty
        self._state = SheetState()
        self._reason: Reason | None = None
        self._operator: Operator | None = None
        self._ends = 0.0

    @property
    def is_open(self) -> bool:
        """Say whether the sheet covers the guest's screen."""
        return self._state.stage != "closed"

    def open(self, reason: Reason | None) -> None:
        """Ask for the PIN; ``reason`` is why a guest waits, if one does."""
        self._reason = reason
        self._touched()
        if self._operator is not None:
            self._show_unlocked()
        else:
            self._ask_pin()

    def enter(self, pin: str) -> None:
        """Unlock for whoever has this PIN."""
        if self._state.stage != "pin":
            return
        answer = self._access.check(pin)
        self._touched()
        if isinstance(answer, Operator):
            self._operator = answer
            self._write("unlocked", role=answer.role)
            self._show_unlocked()
            return
        if isinstance(answer, Wrong):
            self._write("pin_wrong", tries_left=answer.tries_left)
        elif answer.began_now:
            self._write("pin_wrong", tries_left=0)
            self._write("pin_locked", wait_s=answer.wait_s)
        self._ask_pin("pin.locked" if isinstance(answer, Locked) else "pin.wrong")

    def approve(self, code: str) -> None:
        """Settle the referral with a code that is offered for its reason."""
        operator, reason = self._operator, self._reason
        if operator is None or reason is None:
            return
        if code not in self._offered():
            log.warning("staff: a resolution that is not offered for %s was refused", reason.value)
            self._touched()
            return
        if self._write("approved", code=code):
            self._says(StaffApproved(StaffDecision(operator.name, code, self._access.now())))
            self._lock("decided")

    def retry(self) -> None:
        """Let the kiosk try again what failed."""
        if self._operator is not None and self._reason is not None:
            self._write("retried")
            self._says(StaffRetried())
            self._lock("decided")

    def end(self) -> None:
        """End the guest's visit here."""
        if self._operator is not None and self._reason is not None:
            self._write("ended")
            self._says(StaffEnded())
            self._lock("decided")

    def close(self) -> None:
        """Lock and give the screen back to the guest. Safe to call on a closed sheet."""
        self._lock("closed")

    def tick(self) -> None:
        """Once a second: count down, and lock when the time is over."""
        if not self.is_open:
            return
        if self._clock() >= self._ends:
            self._lock("timed_out")
        elif self._operator is not None:
            self._show_unlocked()
        elif self._state.message == "pin.locked":
            self._ask_pin("pin.locked")

    def _touched(self) -> None:
        self._ends = self._clock() + self._unlock_s

    def _ask_pin(self, message: Literal["", "pin.wrong", "pin.locked"] = "") -> None:
        wait_s = self._access.locked_for_s()
        if wait_s:
            message = "pin.locked"
        elif message == "pin.locked":
            message = ""
        self._publish(SheetState("pin", message, wait_s))

    def _show_unlocked(self) -> None:
        if self._operator is not None:
            left_s = max(1, math.ceil(self._ends - self._clock()))
            name = self._operator.name
            offers = self._offered()
            self._publish(SheetState("unlocked", "", 0, name, left_s, self._reason, offers, self._duty()))

    def _offered(self) -> tuple[str, ...]:
        return offered(self._reason) if self._operator is not None and self._operator.decides else ()

    def _lock(self, why: str) -> None:
        if self._operator is not None:
            self._write("closed", why=why)
        self._operator = self._reason = None
        self._publish(SheetState())

    def _publish(self, state: SheetState) -> None:
        """Show what is new. The same state again would wipe digits that are being typed."""
        if state != self._state:
            self._state = state
            self._show(state)

    def _write(self, kind: str, **fields: str | int) -> bool:
        who = {"operator": self._operator.name} if self._operator is not None else {}
        reason = self._reason.value if self._reason is not None else None
        try:
            self._audit.write(f"staff.{kind}", **who, reason=reason, **fields)
        except OSError as error:
            log.error("audit: staff.%s could not be written: %s", kind, error.strerror)
            return False
        return True
