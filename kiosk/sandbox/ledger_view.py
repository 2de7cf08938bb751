"""The police endpoint's ledger as frozen values, for tests and benches that compare it with the kiosk's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from kiosk.sandbox.store import Database


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """A batch that was taken in."""

    id: str
    device: str
    received_at: str
    status: str
    size: int


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """What became of one item of a batch; ``status`` is empty while it is not judged."""

    batch: str
    seq: int
    record_id: str
    revision: int
    content_hash: str
    status: str
    code: str
    receipt_no: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """An accepted revision. It holds nothing about the guest."""

    record_id: str
    revision: int
    op: str
    stay_id: str
    content_hash: str
    status: str
    code: str
    receipt_no: str
    received_at: str
    departed: bool
    photos: int


@dataclass(frozen=True, slots=True)
class HeadSeen:
    """Where a kiosk's own hash chain stood with a batch; ``went_back``: behind or beside where it stood before."""

    device: str
    batch: str
    seq: int
    hash: str
    went_back: bool


@dataclass(frozen=True, slots=True)
class LedgerView:
    """Everything that was reported and what became of it, in the order it came."""

    batches: tuple[BatchSeen, ...]
    items: tuple[ItemSeen, ...]
    records: tuple[RecordSeen, ...]
    heads: tuple[HeadSeen, ...]

    def accepted(self, record_id: str) -> tuple[RecordSeen, ...]:
        """Return a record's accepted revisions, in order."""
        return tuple(record for record in self.records if record.record_id == record_id)

    def tries(self, record_id: str) -> tuple[ItemSeen, ...]:
        """Return every time that a revision of the record came, in order."""
        return tuple(item for item in self.items if item.record_id == record_id)

    def order_faults(self) -> tuple[str, ...]:
        """Return records whose revisions were not accepted one after the other; must be empty."""
        last: dict[str, int] = {}
        faults = []
        for record in self.records:
            if record.revision <= last.get(record.record_id, 0):
                faults.append(record.record_id)
            last[record.record_id] = record.revision
        return tuple(faults)

    def to_json(self) -> dict[str, object]:
        """Return it as plain lists."""
        return {name: [asdict(one) for one in getattr(self, name)] for name in self.__slots__}

    @classmethod
    def from_json(cls, table: Mapping[str, Sequence[Mapping[str, Any]]]) -> LedgerView:
        """Read what ``to_json`` made."""
        kinds = {"batches": BatchSeen, "items": ItemSeen, "records": RecordSeen, "heads": HeadSeen}
        return cls(**{name: tuple(kind(**row) for row in table[name]) for name, kind in kinds.items()})


_SHOWN = tuple(
    (table, [column.name for column in fields(kind)])
    for table, kind in (("batch", BatchSeen), ("item", ItemSeen), ("record", RecordSeen), ("chain_head", HeadSeen))
)


def view(store: Database) -> LedgerView:
    """Read the whole ledger, as it is at one moment."""
    with store.transaction():
        batches, items, records, heads = (store.rows(*wanted) for wanted in _SHOWN)
    return LedgerView(
        tuple(BatchSeen(**row) for row in batches),
        tuple(ItemSeen(**{**row, "status": row["status"] or "", "duplicate": bool(row["duplicate"])}) for row in items),
        tuple(RecordSeen(**{**row, "departed": bool(row["departed"])}) for row in records),
        tuple(HeadSeen(**{**row, "went_back": bool(row["went_back"])}) for row in heads),
    )
