"""Whatever is put, amended, answered, erased and lost in whatever order: nothing is sent out of turn or stuck for ever.

Hypothesis plays clerks, guests, a bad line and a bad disk against the real store, and an authority that keeps the
protocol to the letter. At the end of each play an honest clerk and a good line must bring everything through.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk.config import KioskSection
from kiosk.errors import ContractError
from offline_queue import retention
from offline_queue.answering import decide
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry
from offline_queue.database.rows import Event
from offline_queue.database.verify import verify
from offline_queue.delivery import claims
from offline_queue.delivery.claims import Claimed
from offline_queue.settle import Again, Delivered, Rejected, Settlement
from offline_queue.states import DONE, EventState
from offline_queue.store import Store
from tests.outbox_kit import SHANGHAI, claim, open_owner, receipt, registration, settle

KIOSK = KioskSection(state_dir=Path("/nonexistent"))
ON_ITS_WAY = (EventState.READY, EventState.INFLIGHT)
ANSWERS = ("accept", "accept", "reject", "refuse unread", "later", "charged", "reply lost")


@dataclass(slots=True)
class Authority:
    """What it looked at, and what it accepted, of each record: revisions one after the other, each once."""

    seen: dict[UUID, int] = field(default_factory=dict)
    accepted: dict[UUID, dict[int, bytes]] = field(default_factory=dict)

    def takes(self, sent: Claimed, *, accept: bool) -> bool:
        """Look at a revision; say whether it is accepted now or was before."""
        record, revision = sent.event.record_id, sent.event.revision
        held = self.accepted.setdefault(record, {})
        last = max(held, default=0)
        if revision == last:
            assert held[last] == sent.event.content_hash, "other content under a revision that was accepted"
            return True
        assert revision > last, f"revision {revision} after {last} was accepted"
        assert (sent.supersedes or revision) <= self.seen.get(record, 0) + 1, f"revision {revision} out of turn"
        self.seen[record] = revision
        if accept:
            held[revision] = sent.event.content_hash
        return accept


class Silent:
    """Stands where the audit does."""

    def write(self, kind: str, **fields: str | float | bool | None) -> None:
        pass


class Plays(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.owner = open_owner(Path(self.folder.name))
        self.authority = Authority()
        self.records: list[str] = []
        self.put: dict[tuple[UUID, int], bytes] = {}
        self.wholes: dict[str, dict[str, str]] = {}
        self.flying: list[Claimed] = []
        self.lost: dict[int, list[tuple[int, bytes]]] = {}

    # ---- what guests and clerks do -----------------------------------------------------------------------------------

    @rule()
    def check_in(self) -> None:
        made = registration(photos=False)
        guest = json.loads(made.text)["guest"]
        self.wholes[made.record_id] = {name: str(told) for name, told in guest.items() if name != "declared"}
        self.records.append(made.record_id)
        self.owner.outbox.put(made)
        assert self.owner.outbox.put(made) == made.record_id
        self.note()

    @precondition(lambda self: self.records)
    @rule(which=st.integers(0, 7), op=st.sampled_from(["RC", "EX", "UP", "CC", "VD", "whole"]))
    def amend(self, which: int, op: str) -> None:
        self.say(self.records[which % len(self.records)], op)

    def say(self, record: str, op: str) -> str:
        """Say it as a clerk does; return why it was refused, if it was."""
        until = (datetime.now(SHANGHAI) + timedelta(days=2)).isoformat()
        whole = json.dumps({**self.wholes[record], "roomNo": "1301", "consentId": "c-2"})
        values = {"RC": "1209", "EX": until, "UP": '{"roomNo": "1301"}', "whole": whole, "VD": "mistake", "CC": ""}
        inquiry = Inquiry("amend", record, op="UP" if op == "whole" else op, value=values[op], operator="li.na")
        try:
            list(Answers(self.owner, audit=Silent(), kiosk=KIOSK).rows(inquiry, "uid 0"))
        except ContractError as exc:
            return str(exc)
        self.note()
        return ""

    @precondition(lambda self: self.records)
    @rule(which=st.integers(0, 7))
    def retry(self, which: int) -> None:
        record = UUID(self.records[which % len(self.records)])
        with contextlib.suppress(ContractError):  # nothing to try again
            self.owner.call(lambda store: decide.retry(store, self.owner.vault, record, self.owner.clock.wall(), "li"))

    # ---- the line ----------------------------------------------------------------------------------------------------

    @rule(limit=st.integers(1, 4))
    def send(self, limit: int) -> None:
        self.flying += claim(self.owner, limit)

    @precondition(lambda self: self.flying)
    @rule(many=st.integers(1, 4), answer=st.sampled_from(ANSWERS))
    def land(self, many: int, answer: str) -> None:
        landing, self.flying = self.flying[:many], self.flying[many:]
        settle(self.owner, *((one.event, self.judged(one, answer)) for one in landing), poison_attempts=2)

    def judged(self, sent: Claimed, answer: str) -> Settlement:
        if answer == "refuse unread":
            return Rejected("http 413 E13")
        if answer in ("later", "charged"):
            return Again("http 503", charged=answer == "charged")
        accepted = self.authority.takes(sent, accept=answer != "reject")
        if answer == "reply lost":
            return Again("cut", charged=False)
        return self.receipt(sent.event) if accepted else Rejected("E22 guest.name")

    def receipt(self, event: Event) -> Delivered:
        return receipt(f"R-{event.record_id.hex[:12]}-{event.revision}")

    # ---- the machine -------------------------------------------------------------------------------------------------

    @rule()
    def restart(self) -> None:
        self.owner.close()
        self.owner, self.flying = open_owner(Path(self.folder.name)), []
        self.owner.call(lambda store: claims.recover(store, self.owner.clock.wall()))

    @rule()
    def erase(self) -> None:
        self.owner.call(lambda store: retention.purge(store, self.owner.clock.wall() + 60, 0))

    @precondition(lambda self: self.records)
    @rule(which=st.integers(0, 7))
    def lose_a_key(self, which: int) -> None:
        record = UUID(self.records[which % len(self.records)])

        def work(store: Store) -> None:
            waiting = [one for one in store.revisions(record) if one.state not in DONE and one.id not in self.lost]
            for one in waiting[:1]:
                rows = store._conn.execute("SELECT rowid, wrapped FROM data_key WHERE event = ?", (one.id,)).fetchall()
                self.lost[one.id] = rows
                spoil = "UPDATE data_key SET wrapped = randomblob(length(wrapped)) WHERE event = ?"
                store._conn.execute(spoil, (one.id,))

        self.owner.call(work)

    @precondition(lambda self: self.records)
    @rule(which=st.integers(0, 7))
    def lose_a_revision(self, which: int) -> None:
        """The next one is gone for good, with the page that held it; the one after it is there."""
        record = self.records[which % len(self.records)]
        last = self.owner.call(lambda store: store.revisions(UUID(record)))[-1]
        self.owner.outbox.put(registration(record, last.revision + 2, stay=last.stay))
        self.note()

    @precondition(lambda self: self.lost)
    @rule()
    def find_the_keys(self) -> None:
        def work(store: Store) -> None:
            for number, rows in self.lost.items():
                one = store.event(number)
                if one is not None and one.state not in (EventState.PURGED, EventState.DELIVERED):
                    for row, wrapped in rows:
                        store._conn.execute("UPDATE data_key SET wrapped = ? WHERE rowid = ?", (wrapped, row))
            self.lost.clear()

        self.owner.call(work)

    # ---- what must hold ----------------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        return self.owner.call(lambda store: store.events_after(0, -1))

    def note(self) -> None:
        self.put |= {(one.record_id, one.revision): one.content_hash for one in self.events()}

    @invariant()
    def nothing_that_was_put_is_lost_or_changed_and_each_record_goes_in_order(self) -> None:
        events = self.events()
        assert {(one.record_id, one.revision): one.content_hash for one in events} == self.put
        for one in events:
            earlier = [other for other in events if other.record_id == one.record_id and other.revision < one.revision]
            if one.state in ON_ITS_WAY or one.state is EventState.DELIVERED:
                assert all(other.state in DONE for other in earlier), "sent before an earlier one is done"
                stood_for = {n for by in [*earlier, one] if by.supersedes for n in range(by.supersedes, by.revision)}
                assert {other.revision for other in earlier} | stood_for >= set(range(1, one.revision)), "over a hole"
            if one.state in (EventState.DELIVERED, EventState.PURGED):
                assert self.authority.accepted[one.record_id][one.revision] == one.content_hash

    def teardown(self) -> None:
        if not hasattr(self, "owner"):
            return
        try:
            self.restart()
            self.bring_through()
            for event in self.events():
                accepted = self.authority.accepted.get(event.record_id, {})
                assert event.state is EventState.SUPERSEDED or event.revision in accepted
            faults = [fault for fault in verify(self.owner).faults if "cannot be opened" not in fault or not self.lost]
            assert faults == []
        finally:
            self.owner.close()
            self.folder.cleanup()

    def bring_through(self) -> None:
        """A good line, and a clerk who mends or voids what is stuck: then nothing waits."""
        for _ in range(20):
            while taken := claim(self.owner):
                outcomes = [(one.event, self.judged(one, "accept")) for one in taken]
                settle(self.owner, *outcomes)
            waiting = {str(one.record_id) for one in self.events() if one.state not in DONE}
            if not waiting:
                return
            for record in waiting:
                if self.say(record, "whole") and (refused := self.say(record, "VD")):
                    pytest.fail(f"nobody can free it: {refused}: {self.states(record)}")
        pytest.fail(f"never through: {[self.states(record) for record in waiting]}")

    def states(self, record: str) -> list[str]:
        return [f"{one.revision} {one.op} {one.state}" for one in self.events() if str(one.record_id) == record]


TestPlays = Plays.TestCase
TestPlays.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestPlays.pytestmark = [pytest.mark.timeout(300)]
