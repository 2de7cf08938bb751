"""The authority's code tables: fetched when they change, and what was refused for old ones is sent once more.

Sync thread only. ``kiosk.registration.code_tables`` reads the file for the validators.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from kiosk.durable import write_whole
from kiosk.registration.code_tables import FILE as FILE
from offline_queue.delivery.endpoint import Table
from offline_queue.delivery.replies import Reply
from offline_queue.delivery.talk import Talk
from offline_queue.delivery.troubles import Hold, Later, LineTrouble, judge_told
from offline_queue.owner import OutboxOwner
from offline_queue.settle import TABLES_OUTDATED, Rejected
from offline_queue.states import EventState
from offline_queue.store import Store

log = logging.getLogger(__name__)

NAMES = ("idType", "ethnicity", "country", "division", "document", "visa", "port", "reason", "errors", "rooms")
LOOK_EVERY_S = 3600.0
LOOK_AGAIN_S = 300.0
"""After a look that brought no answer. Both times are spread from half to one and a half."""
_SOONEST_S = 10.0
"""However many records are refused for old tables: they are fetched at most so often."""


class CodeTables:
    """Keeps ``FILE`` as new as the authority's tables are."""

    def __init__(self, owner: OutboxOwner, talk: Talk, folder: Path) -> None:
        self._owner, self._talk, self._path = owner, talk, folder / FILE
        self.version = read(self._path)[0]
        self.trouble = ""
        """Why the tables could not be fetched."""
        self.due_at = 0.0
        self._doubted = False
        self._fetched_at = -LOOK_EVERY_S

    def doubt(self) -> None:
        """A record was refused because its codes are outdated: look again soon."""
        self._doubted = True
        # From now on, not from a look that fell due in an outage: that one is spread over an hour
        self.due_at = max(self._fetched_at + _SOONEST_S, self._talk.clock.mono())

    def run(self) -> float:
        """Look for newer tables. Return the seconds until it is time to look again."""
        trouble = self._talk.ask(lambda: judge_told(self._talk.endpoint.read_limits()))
        told = self._talk.endpoint.limits.schema_version
        if trouble is None and (self._doubted or not self.version or told not in ("", self.version)):
            trouble = self._fetch()
        if trouble is not None:
            if trouble.why != self.trouble:
                log.warning("code tables: not fetched: %s", trouble.why)
            self.trouble = trouble.why
            return LOOK_AGAIN_S * (0.5 + self._talk.draw())
        self.trouble = ""
        again = self._owner.call(lambda store: send_again(store, self._owner.clock.wall(), self.version))
        if again:
            log.info("code tables: version %s; %d records refused for older ones go again", self.version, again)
        return LOOK_EVERY_S * (0.5 + self._talk.draw())

    def _fetch(self) -> Hold | Later | None:
        """Fetch every table and save them together; None when that was done."""
        tables: dict[str, Mapping[str, str]] = {}
        version = ""
        for name in NAMES:
            told = self._talk.ask(lambda which=name: _table(*self._talk.endpoint.table(which)))  # type: ignore[misc]
            if isinstance(told, Hold | Later):
                return told
            if isinstance(told, Table):  # one that the authority does not keep is left out
                if version not in ("", told.version):
                    return Later("the tables changed while they were fetched", charged=False)
                version, tables[name] = told.version, told.entries
        if not tables:
            return Later("the authority has no code tables", charged=False)
        try:
            _save(self._path, version, tables)
        except OSError as exc:
            return Later(f"{self._path.name} cannot be written: {exc.strerror}", charged=False)
        self.version, self._doubted, self._fetched_at = version, False, self._talk.clock.mono()
        return None


def send_again(store: Store, wall: float, version: str) -> int:
    """Make every record that was refused for outdated tables ready again, once a version. Owner thread; how many."""
    refused = [event for event in store.in_state(EventState.REJECTED) if Rejected(event.why or "").tables_outdated]
    waiting = [event for event in refused if store.fact(f"{TABLES_OUTDATED} {event.id}") != version]
    if not waiting:
        return 0
    why = f"code tables {version}"
    with store.transaction():
        for event in waiting:
            store.set_fact(f"{TABLES_OUTDATED} {event.id}", version)
            store.move(
                event, EventState.READY, wall, detail=why, why=why, batch=None, settled_at=None, next_at=wall, strikes=0
            )
    return len(waiting)


def read(path: Path) -> tuple[str, dict[str, dict[str, str]]]:
    """Return version and tables of a file; nothing for one that is absent or broken: they are fetched again."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return str(told["version"]), dict(told["tables"])
    except (OSError, ValueError, TypeError, KeyError):
        return "", {}


def _save(path: Path, version: str, tables: Mapping[str, Mapping[str, str]]) -> None:
    told = {"version": version, "tables": tables}
    write_whole(path, json.dumps(told, ensure_ascii=False, default=dict).encode())


def _table(reply: Reply, table: Table | None) -> Table | LineTrouble | None:
    """The table; None when the authority keeps none of that name."""
    trouble = judge_told(reply)
    if trouble is not None or table is not None:
        return trouble or table
    absent = getattr(reply, "status", 0) == 404
    return None if absent else Later("a code table that cannot be read", charged=False)
