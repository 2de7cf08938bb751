"""An authority in memory for plays that need no network, and what may be said of any authority's ledger. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

Revision: TypeAlias = tuple[UUID, int]
"""A record and its revision."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One record that an authority took in for good, in the order in which it did."""

    record: UUID
    revision: int
    content_hash: bytes
    receipt_no: str


@dataclass(frozen=True, slots=True)
class Books:
    """What was found when a ledger was held against what was acknowledged."""

    acknowledged: int = 0
    lost: int = 0
    """Acknowledged, but neither there nor waiting."""
    duplicates: int = 0
    """The same revision taken in twice, or under two receipts."""
    order_violations: int = 0
    """A revision that came before an earlier one of its record."""

    def __add__(self, other: Books) -> Books:
        return Books(
            self.acknowledged + other.acknowledged,
            self.lost + other.lost,
            self.duplicates + other.duplicates,
            self.order_violations + other.order_violations,
        )

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicates or self.order_violations)


@dataclass(slots=True)
class Authority:
    """Takes each revision in once; the same bytes again bring the same receipt."""

    ledger: list[Taken] = field(default_factory=list)

    def report(self, record: UUID, revision: int, content_hash: bytes) -> str:
        """Return the receipt's number."""
        for taken in self.ledger:
            if (taken.record, taken.revision, taken.content_hash) == (record, revision, content_hash):
                return taken.receipt_no
        number = f"R-{record.hex[:8]}-{revision}-{content_hash.hex()[:8]}-{len(self.ledger)}"
        self.ledger.append(Taken(record, revision, content_hash, number))
        return number


def audit(
    acknowledged: Mapping[Revision, bytes],
    ledger: Sequence[Taken],
    *,
    excused: Iterable[Revision] = (),
    replaced: Iterable[Revision] = (),
) -> Books:
    """Hold a ledger against the content hashes that were acknowledged.

    Args:
        acknowledged: Every acknowledged revision, and the hash of its text.
        ledger: What the authority took in, in its order.
        excused: Revisions that need not be there: they wait for a person.
        replaced: Nor these: a person put a later one in their place, which may go without them.
    """
    gone = set(replaced)
    pardoned = gone | set(excused)
    times = Counter((taken.record, taken.revision) for taken in ledger)
    have = {(taken.record, taken.revision): taken.content_hash for taken in ledger}
    lost = [key for key, text in acknowledged.items() if key not in pardoned and have.get(key) != text]
    violations, highest = 0, dict[UUID, int]()
    for taken in ledger:
        before = set(range(1, taken.revision))
        done = {n for n in before if (taken.record, n) in gone}
        came = highest.get(taken.record, 0)
        violations += taken.revision < came or not before <= done | set(range(1, came + 1))
        highest[taken.record] = max(came, taken.revision)
    return Books(len(acknowledged), len(lost), sum(n - 1 for n in times.values()), violations)


def doctored(ledger: Sequence[Taken], how: str) -> list[Taken]:
    """Return a ledger in which something went wrong: what ``audit`` must find. ``how``: lost, duplicates or order."""
    wrong = list(ledger)
    match how:
        case "lost":
            del wrong[len(wrong) // 2]
        case "duplicates":
            wrong.append(replace(wrong[0], receipt_no="R-AGAIN"))
        case "order_violations":
            later = next((at for at, taken in enumerate(wrong) if taken.revision > 1), None)
            # A short run may have corrected nobody: then a revision comes that has no earlier one
            wrong.insert(0, replace(wrong[0], revision=wrong[0].revision + 1) if later is None else wrong.pop(later))
        case _:
            raise ValueError(how)
    return wrong
