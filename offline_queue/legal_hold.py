"""Records that must not be erased until somebody says so: a court, an authority or the guest asked for them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from uuid import UUID

from kiosk.errors import ContractError
from offline_queue.states import EventState
from offline_queue.store import Store

MOST = 1000
"""Records on hold at one time: each is looked at by every purge."""
_FACT = "legal holds"
_CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Why a record is kept."""

    since: float
    """Unix seconds."""
    by: str
    """Who laid it on: an operator or a user of this machine."""
    case: str
    """Number of the case, as it stands on the paper; never a name."""


def hold(store: Store, record_id: UUID, wall: float, *, by: str, case: str) -> None:
    """Keep every revision of a record from erasure, also those still to come. Owner thread. Raises ContractError."""
    if not _CASE.fullmatch(case):
        raise ContractError("legal hold: a case is 1 to 40 letters, digits and . _ / -; it names nobody")
    if all(event.state is EventState.PURGED for event in store.record(record_id)):
        raise ContractError("legal hold: this record is erased already; ./run queue purge --receipt tells when")
    holds = held(store)
    if len(holds) >= MOST and record_id not in holds:
        raise ContractError(f"legal hold: {MOST} records are on hold already; release those that are settled")
    _keep(store, holds | {record_id: LegalHold(wall, by, case)}, record_id)


def release(store: Store, record_id: UUID) -> None:
    """Let a record be erased when its time is over. Owner thread. Raises ContractError when it is not on hold."""
    holds = held(store)
    if holds.pop(record_id, None) is None:
        raise ContractError("legal hold: this record is not on hold")
    _keep(store, holds, record_id)


def held(store: Store) -> dict[UUID, LegalHold]:
    """Return the holds there are. Owner thread."""
    known: dict[str, dict[str, object]] = json.loads(store.fact(_FACT) or "{}")
    return {UUID(record): LegalHold(**one) for record, one in known.items()}  # type: ignore[arg-type]


def told(store: Store, record_id: UUID) -> str:
    """Return a record's hold as the second copy keeps it; empty for none. Owner thread."""
    one = held(store).get(record_id)
    return json.dumps(asdict(one), separators=(",", ":")) if one is not None else ""


def bring_back(store: Store, record_id: UUID, hold: str) -> None:
    """Lay a hold of the second copy again, inside a transaction. Owner thread."""
    store.set_fact(_FACT, _written(held(store) | {record_id: LegalHold(**json.loads(hold))}))


def _keep(store: Store, holds: dict[UUID, LegalHold], changed: UUID) -> None:
    with store.transaction():
        store.set_fact(_FACT, _written(holds))
        store.tell_again(event.id for event in store.revisions(changed))


def _written(holds: dict[UUID, LegalHold]) -> str:
    return json.dumps({str(record): asdict(one) for record, one in holds.items()}, separators=(",", ":"))
