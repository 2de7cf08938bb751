"""Asking the authority what it really has: of a record in doubt, and day by day of everything. Sync thread only."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from offline_queue import settle
from offline_queue.crypto.device_key import PublicKey
from offline_queue.database.rows import Event
from offline_queue.delivery import receipts_list
from offline_queue.delivery.receipts_list import Comparison, DayList
from offline_queue.delivery.replies import Reply, Result
from offline_queue.delivery.talk import Talk
from offline_queue.delivery.troubles import LineTrouble, judge_told
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Again, Ask, Delivered, Hold, Later, Rejected, Sent, Settlement
from offline_queue.store import Store

log = logging.getLogger(__name__)

CHECKED = "receipts_checked"
"""Fact: the last day whose list was held against ours."""
MOST_DAYS = 30
"""A kiosk that was away longer asks for the newest lists only."""
_LATE_S = 3 * 86_400.0
"""A receipt of one day may be fetched so much later."""
_AFTER_MIDNIGHT_S, _SPREAD_S = 600.0, 3600.0
_AGAIN_S = 600.0
_SLICE = 200


def sent(event: Event) -> Sent:
    """What a result about this event must echo."""
    return Sent(event.record_id, event.revision, event.content_hash)


def ask_each(talk: Talk, outcomes: Sequence[tuple[Event, Settlement]]) -> list[tuple[Event, Settlement]]:
    """Replace every ``Ask`` by what the authority says it has of that record."""
    return [(event, _ask(talk, event, what.why) if isinstance(what, Ask) else what) for event, what in outcomes]


def _ask(talk: Talk, event: Event, why: str) -> Settlement:
    if talk.line.failures:  # it failed for another record of this batch: no second time-out for the same
        return Again(why, charged=False)
    verdict = _word(talk, event)
    if isinstance(verdict, Hold | Later):
        talk.failed(verdict)
        # Whoever can never be asked about must not go round for ever
        return Again(why, charged=isinstance(verdict, Later) and verdict.charged)
    return verdict


def _word(talk: Talk, event: Event) -> Delivered | Rejected | Again | Hold | Later:
    return talk.ask(lambda: settle.judge_record(*talk.endpoint.record(str(event.record_id)), sent(event)))


class DailyLists:
    """Holds each day's list of receipts against ours, once: at the start for yesterday, then after each midnight."""

    def __init__(self, owner: OutboxOwner, talk: Talk, key: PublicKey, device: str) -> None:
        """Prepare.

        Args:
            owner: The store.
            talk: The line.
            key: Verifies the lists.
            device: Our name at the authority.
        """
        self._owner, self._talk, self._key, self._device = owner, talk, key, device
        self.trouble = ""
        """Why the last list could not be checked, or how it differs; in words of ours."""
        self.checked = ""
        """The last day whose list was held against ours."""
        self.due_at = 0.0

    def run(self) -> float:
        """Check the next list that is due, if one is. Return the seconds until there is something to do again."""
        self.checked = self._owner.call(lambda store: store.fact(CHECKED)) or ""
        if self._talk.endpoint.time is None:  # a day begins when the authority says so
            trouble = self._talk.ask(lambda: judge_told(self._talk.endpoint.read_limits()))
            if trouble is not None:
                return self._later(f"not asked: {trouble.why}")
        now = self._talk.now()
        today = receipts_list.today(now)
        day = self._next(today - timedelta(days=1))
        if day is None:
            spread_s = _AFTER_MIDNIGHT_S + self._talk.draw() * _SPREAD_S
            return receipts_list.bounds(today)[1] - now + spread_s
        return self._check(day.isoformat())

    def _next(self, yesterday: date) -> date | None:
        if not self.checked:
            return yesterday
        after = max(date.fromisoformat(self.checked) + timedelta(days=1), yesterday - timedelta(days=MOST_DAYS - 1))
        return after if after <= yesterday else None

    def _check(self, day: str) -> float:
        told = self._talk.ask(lambda: _list(*self._talk.endpoint.receipts(day)))
        if not isinstance(told, DayList):
            return self._later(f"list of {day}: {told.why}")
        if fault := receipts_list.fault(told, day, self._key):
            return self._later(f"list of {day}: {fault}")
        compared = self._compare(told)
        flags = self._flags(day, compared)
        if isinstance(flags, Hold | Later):
            return self._later(f"list of {day}: {flags.why}")
        self._owner.call(lambda store: _note(store, told, compared, flags))
        self.checked = day
        self.trouble = _words(day, compared)
        if self.trouble:
            log.error("receipts: %s; ./run queue list --flagged shows the records", self.trouble)
        return 0.0

    def _compare(self, told: DayList) -> Comparison:
        """In slices of the owner's time: a guest's put waits for no list of a whole hotel."""
        ours = self._owner.call(lambda store: _ours(store, told.day))
        known: dict[tuple[UUID, int], Event | None] = {}
        for start in range(0, len(told.listed), _SLICE):
            names = [(line.record_id, line.revision) for line in told.listed[start : start + _SLICE]]
            known |= self._owner.call(lambda store, names=names: {name: store.find(*name) for name in names})  # type: ignore[misc]
        return receipts_list.compare(told, ours, lambda *name: known[name], self._device)

    def _flags(self, day: str, compared: Comparison) -> list[tuple[Event, str]] | Hold | Later:
        """Ask for every record in which the two sides differ; foreign ones too, so that the log says what it is."""
        flags: list[tuple[Event, str]] = []
        for said, events in (("missing in", compared.missing), ("differs from", compared.differing)):
            for event in events:
                word = _word(self._talk, event)
                if isinstance(word, Hold | Later):
                    return word
                flags.append((event, f"{said} the authority's list of {day}: {_told(event, word)}"))
        for line in compared.foreign:
            reply = self._talk.ask(lambda one=line: _known(*self._talk.endpoint.record(str(one.record_id))))  # type: ignore[misc]
            if isinstance(reply, Hold | Later):
                return reply
            log.error("receipts: record %s of %s is not ours (asked for: %s)", line.record_id, day, reply)
        return flags

    def _later(self, why: str) -> float:
        if why != self.trouble:
            log.warning("receipts: %s", why)
        self.trouble = why
        return _AGAIN_S * (0.5 + self._talk.draw())


def _ours(store: Store, day: str) -> list[Event]:
    """Deliveries whose receipt is of that day."""
    begin, end = receipts_list.bounds(date.fromisoformat(day))
    settled = store.settled_between(begin - 86_400.0, end + _LATE_S)
    return [event for event in settled if receipts_list.day_of(event.received_at) == day]


def _note(store: Store, told: DayList, compared: Comparison, flags: Sequence[tuple[Event, str]]) -> None:
    foreign = [str(line.record_id) for line in compared.foreign]
    counts = {"listed": len(told.listed), "missing": len(compared.missing), "differing": len(compared.differing)}
    with store.transaction():
        for event, flag in flags:
            store.note([event], flag=flag)
        store.set_fact(CHECKED, told.day)
        if flags or foreign:
            store.set_fact(f"receipts {told.day}", json.dumps({**counts, "foreign": foreign}))


def _words(day: str, compared: Comparison) -> str:
    found = {"missing": compared.missing, "differing": compared.differing, "foreign": compared.foreign}
    told = ", ".join(f"{len(which)} {name}" for name, which in found.items() if which)
    return f"list of {day}: {told}" if told else ""


def _told(event: Event, word: Delivered | Rejected | Again) -> str:
    match word:
        case Delivered(receipt_no) if receipt_no == event.receipt:
            return "asked for, it has it with our receipt"
        case Delivered():
            return "asked for, it has it with another receipt"
        case Rejected(why) | Again(why):
            return f"asked for, it says: {why}"


def _known(reply: Reply, result: Result | None) -> str | LineTrouble:
    trouble = judge_told(reply)
    return trouble if trouble is not None else ("it has it" if result is not None else "it does not have it")


def _list(reply: Reply, told: DayList | None) -> DayList | LineTrouble:
    trouble = judge_told(reply)
    return trouble or told or Later("no list of receipts in the answer", charged=False)
