"""What may take long: verify, purge, salvage and rotation, each slice by slice on the owner thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from uuid import UUID

from kiosk.errors import ContractError
from offline_queue import erasure, legal_hold, retention
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry, Row, record_of
from offline_queue.crypto import rotation
from offline_queue.database.verify import verify
from offline_queue.delivery.authority_time import iso
from offline_queue.owner import OutboxOwner
from offline_queue.recovery import comparing
from offline_queue.store import Store

_LOOK_S = 0.5
Note = Callable[..., None]
"""Writes into the audit, or raises OperationalError."""


class Upkeep:
    """Answers of the caretaker's verbs. Blocks its caller's thread for as long as the work takes."""

    def __init__(self, owner: OutboxOwner, note: Note, *, alone: bool) -> None:
        """``alone``: the kiosk is stopped, so that nobody's put waits for a check of all pages."""
        self._owner = owner
        self._note = note
        self._alone = alone

    def rows(self, inquiry: Inquiry, by: str) -> Iterator[Row]:
        """Do what is asked and yield what came of it. Raises KioskError."""
        match inquiry.ask:
            case "verify":
                yield self._verify()
            case "purge":
                yield self._report() if inquiry.report else self._purge(by, dry_run=inquiry.dry_run)
            case "receipt":
                record = record_of(inquiry.record)
                yield from self._owner.call(lambda store: erasure.documents(store, record))
            case "hold" | "release":
                yield self._hold(record_of(inquiry.record), inquiry, by)
            case "salvage":
                yield self._salvage(by)
            case "rotate-keys":
                yield self._rotate(by)
            case _:
                raise ContractError(f"queue: {inquiry.ask} is no upkeep")

    def _verify(self) -> Row:
        report = verify(self._owner, pages=self._alone)
        faults = list(report.faults)
        # What holds is then a new store, which lacks what is in the other one
        if waiting := self._owner.mending.view.waiting:
            faults.append(f"database: {words.many(waiting, 'damaged file')} set aside, what is in it is not back yet")
        faults += comparing.faults(self._owner)
        return {"whole": not faults, "events": report.events, "changes": report.changes, "faults": faults}

    def _purge(self, by: str, *, dry_run: bool) -> Row:
        owner, days, now = self._owner, self._owner.settings.retention_days, self._owner.now()
        if dry_run:
            done = owner.call(lambda store: retention.purge(store, now, days, dry_run=True))
        else:
            self._note("queue.purge", by)
            done = retention.purge_all(owner, days)
        clock = "machine" if owner.authority_time is None else "authority"
        told = {"records": done.records, "held": done.held, "dry_run": dry_run, "retention_days": days}
        return told | {"now": iso(now), "clock": clock}

    def _hold(self, record: UUID, inquiry: Inquiry, by: str) -> Row:
        wall = self._owner.clock.wall()

        def work(store: Store) -> int:
            if inquiry.ask == "hold":
                legal_hold.hold(store, record, wall, by=by, case=inquiry.case)
            else:
                legal_hold.release(store, record)
            return len(legal_hold.held(store))

        self._note(f"queue.{inquiry.ask}", by, record=str(record), case=inquiry.case)
        return {"record": str(record), "case": inquiry.case, "held": self._owner.call(work)}

    def _salvage(self, by: str) -> Row:
        """Wait until what is set aside is brought back, or until a try failed: it is tried again by itself.

        A store in which ``verify`` finds faults is set aside first.
        """
        self._note("queue.salvage", by)
        mending = self._owner.mending
        if not mending.wait(0).waiting and (faults := verify(self._owner).faults):
            self._owner.set_aside(f"verify found {len(faults)} faults")
        mending.start()
        view = mending.wait(_LOOK_S)
        while view.running and not view.why:
            view = mending.wait(_LOOK_S)
        return {
            "waiting": view.waiting,
            "salvaged": [one.to_json() for one in view.salvaged],
            "rebuilt": None if view.rebuilt is None else view.rebuilt.to_json(),
            "why": view.why,
        }

    def _rotate(self, by: str) -> Row:
        self._note("queue.rotate_keys", by)
        return asdict(rotation.rotate(self._owner))

    def _report(self) -> Row:
        told = erasure.report(self._owner)
        days = [{"day": day, "records": texts, "photos": photos} for day, texts, photos in told.days]
        return {"days": days, "unsigned": told.unsigned, "held": len(self._owner.call(legal_hold.held))}
