"""What a section of the chaos did and found, as values, and the lines that tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kiosk.chaos.authority import Books

SHOWN = 5
"""Failing cases that are told in full."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that must hold, and in how many cases it was looked at and did not."""

    name: str
    checked: int
    broken: int

    @property
    def holds(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True)
class Failure:
    """A case in which something did not hold."""

    section: str
    seed: int
    case: int
    what: str

    @property
    def again(self) -> str:
        """The command that plays this case once more."""
        return f"./run chaos --only {self.section} --seed {self.seed} --case {self.case}"


@dataclass(frozen=True, slots=True)
class Findings:
    """One section's outcome."""

    section: str
    did: str
    """What it did, in one line."""
    figures: Mapping[str, int | float | str] = field(default_factory=dict)
    books: Books = field(default_factory=Books)
    invariants: tuple[Invariant, ...] = ()
    controls: Mapping[str, bool] = field(default_factory=dict)
    """Name of each control: whether it failed, as it must."""
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        whole = all(invariant.holds for invariant in self.invariants) and all(self.controls.values())
        return whole and self.books.clean and not self.failures

    def lines(self) -> Iterator[str]:
        """Tell it to a person."""
        yield f"{self.section}: {self.did} ({self.seconds:.0f} s)"
        for invariant in self.invariants:
            seen = "holds" if invariant.checked else "unseen"
            verdict = seen if invariant.holds else f"BROKEN in {invariant.broken}"
            yield f"  {verdict:<10} {invariant.name} ({invariant.checked} checked)"
        for name, failed in self.controls.items():
            yield f"  control    {name}: {'fails, as it must' if failed else 'DID NOT FAIL: the check sees nothing'}"
        for failure in self.failures[:SHOWN]:
            yield f"  FAILED     case {failure.case}: {failure.what}"
            yield f"             again: {failure.again}"
        if len(self.failures) > SHOWN:
            yield f"  … and {len(self.failures) - SHOWN} more"

    def to_json(self) -> dict[str, object]:
        """Return it for the one line of JSON."""
        return {
            "did": self.did,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "invariants": {invariant.name: invariant.broken for invariant in self.invariants},
            **self.figures,
        }
