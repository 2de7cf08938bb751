"""How the outbox stands, as a clerk reads it: rows of ("good", "warn" or "bad", what it is, how it stands). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.staff.duty import Duty
from ui.screen import i18n
from ui.screen.viewmodels.rows import Row

_DUE = {"none": "good", "green": "good", "amber": "warn", "red": "bad", "alarm": "bad"}
_LINE = {"open": "good", "waits": "warn", "breaker": "bad", "licence": "bad"}
_DISK = {"room": "good", "warn": "warn", "staff_only": "bad", "refuse": "bad"}
CLOCK_MIN = 2
"""A clock that is off by fewer minutes is nobody's concern."""


def told(duty: Duty | None, language: str) -> tuple[Row, ...]:
    """Return the rows, the most urgent figure first; none when nobody can say."""
    return tuple(_rows(duty, language)) if duty is not None else ()


def _rows(duty: Duty, language: str) -> Iterator[Row]:
    def say(key: str, **values: object) -> str:
        return i18n.say(language, f"duty.{key}", **values)

    yield _DUE[duty.due], say("reports"), _reports(duty, language)
    if duty.to_decide:
        yield "bad", say("decide"), say("decide_now", number=duty.to_decide)
    yield _LINE[duty.line], say("line"), say(f"line_{duty.line}")
    if abs(duty.clock_off_min) >= CLOCK_MIN:
        key = "clock_fast" if duty.clock_off_min > 0 else "clock_slow"
        yield "bad", say("clock"), say(key, time=_span(abs(duty.clock_off_min), language))
    yield _DISK[duty.disk], say("disk"), say(f"disk_{duty.disk}", mb=duty.disk_mb)
    if duty.mending:
        yield "warn", say("mending"), say("mending_now")
    if duty.copy_behind:
        yield "warn", say("copy"), say("copy_behind")


def _reports(duty: Duty, language: str) -> str:
    if not duty.waiting or duty.due_in_min is None:
        return i18n.say(language, "duty.reports_none")
    key = "reports_overdue" if duty.due_in_min < 0 else "reports_due"
    return i18n.say(language, f"duty.{key}", number=duty.waiting, time=_span(abs(duty.due_in_min), language))


def _span(minutes: int, language: str) -> str:
    """Hours from two hours on: nobody reckons with 4,310 minutes."""
    if minutes < 120:
        return i18n.say(language, "duty.minutes", number=minutes)
    return i18n.say(language, "duty.hours", number=minutes // 60)
