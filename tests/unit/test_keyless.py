"""After a power cut every saved record still ends in a key or a referral."""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from kiosk import unfinished
from kiosk.audit import AUDIT_FILE, AuditLog
from kiosk.checkin.keyless import without_key
from kiosk.model import RegistrationId

A, B, C = RegistrationId("a"), RegistrationId("b"), RegistrationId("c")


def test_a_record_with_a_key_or_a_referral_is_settled() -> None:
    audited = [
        {"kind": "key.issued", "record": "a"},
        {"kind": "referral.opened", "record": "b", "reason": "key.failed"},
        {"kind": "consent.face", "record": "c"},
    ]
    assert without_key([A, B, C], audited) == [C]


def test_a_second_start_does_not_call_staff_again() -> None:
    first = without_key([A], [])
    assert first == [A]
    assert without_key([A], [{"kind": "referral.opened", "record": str(record)} for record in first]) == []


@dataclass
class Event:
    """An event of the outbox, as far as a start looks at it."""

    record_id: UUID
    wall: float
    op: str = "CI"


class Restarted:
    """A kiosk that starts on an outbox and an audit that the last run left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.audit = AuditLog(folder / AUDIT_FILE)
        self.events: list[Event] = []
        """The newest first."""

    def looks_back(self) -> None:
        unfinished.refer(self, self.audit, self.folder)  # type: ignore[arg-type]

    def call(self, work: Any) -> Any:
        return work(self)

    def latest(self, limit: int) -> list[Event]:
        return self.events[:limit]

    def saves(self, *, key: bool, days_ago: float = 0.0) -> UUID:
        self.audit.write("consent.face")
        event = Event(uuid4(), time.time() - days_ago * 86_400)
        self.events.insert(0, event)
        if key:
            self.audit.write("key.issued", record=str(event.record_id))
        return event.record_id


def referred(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage().split()[1] for record in caplog.records if "its key was not made" in record.getMessage()
    ]


def test_a_start_refers_the_record_that_the_kill_left_without_a_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = Restarted(tmp_path)
    before.saves(key=True)
    record = before.saves(key=False)
    before.looks_back()
    before.looks_back()
    assert referred(caplog) == [str(record)]
    before.audit.close()


def test_a_full_disk_does_not_keep_the_kiosk_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Restarted(tmp_path)
    records = [str(before.saves(key=False)), str(before.saves(key=False))]

    def full(kind: str, **fields: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(before.audit, "write", full)
        before.looks_back()
    assert referred(caplog) == records
    before.looks_back()
    assert referred(caplog) == records * 2
    before.audit.close()


def test_a_start_does_not_judge_what_the_audit_it_reads_cannot_know(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit of years is not read from its beginning; one that was put away is missed by nobody."""
    before = Restarted(tmp_path)
    before.saves(key=False, days_ago=3)
    monkeypatch.setattr(unfinished, "AUDIT_BYTES", 2000)
    for number in range(30):
        before.audit.write("staff.opened", number=number)
    record = before.saves(key=False)
    before.looks_back()
    assert referred(caplog) == [str(record)]
    before.audit.close()
