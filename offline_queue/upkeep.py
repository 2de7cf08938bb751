"""What may take long: verify, purge, salvage and rotation, each slice by slice on the owner thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from offline_queue import retention
from offline_queue.inquiry import Inquiry, Row
from offline_queue.owner import OutboxOwner
from offline_queue.verify import verify

Note = Callable[..., None]
"""Writes into the audit, or raises OperationalError."""


class Upkeep:
    """Answers of the caretaker's verbs. Blocks its caller's thread for as long as the work takes."""

    def __init__(self, owner: OutboxOwner, note: Note) -> None:
        self._owner = owner
        self._note = note

    def rows(self, inquiry: Inquiry, by: str) -> Iterator[Row]:
        """Do what is asked and yield what came of it. Raises KioskError."""
        match inquiry.ask:
            case "verify":
                yield self._verify()
            case "purge":
                yield self._purge(by, dry_run=inquiry.dry_run)

    def _verify(self) -> Row:
        report = verify(self._owner)
        return {
            "whole": not report.faults,
            "events": report.events,
            "changes": report.changes,
            "faults": list(report.faults),
        }

    def _purge(self, by: str, *, dry_run: bool) -> Row:
        days, records = self._owner.settings.retention_days, 0
        if not dry_run:
            self._note("queue.purge", by)
        while True:
            wall = self._owner.clock.wall()
            done = self._owner.call(lambda store, at=wall: retention.purge(store, at, days, dry_run=dry_run))  # type: ignore[misc]
            records += done.records
            if not done.more:
                return {"records": records, "dry_run": dry_run, "retention_days": days}
