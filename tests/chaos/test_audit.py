"""Holding an authority's ledger against what was acknowledged: what must be found, and what is no fault."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from kiosk.chaos.authority import Authority, Books, Revision, Taken, audit, doctored
from kiosk.chaos.findings import Failure, Findings, Invariant

ONE, TWO = UUID(int=1), UUID(int=2)
ACKNOWLEDGED: dict[Revision, bytes] = {(ONE, 1): b"a", (ONE, 2): b"b", (TWO, 1): b"c"}


def ledger() -> list[Taken]:
    authority = Authority()
    for (record, revision), content in ACKNOWLEDGED.items():
        authority.report(record, revision, content)
    return authority.ledger


def test_a_ledger_that_has_everything_once_and_in_order_is_clean() -> None:
    assert audit(ACKNOWLEDGED, ledger()) == Books(acknowledged=3)


def test_the_same_bytes_again_bring_the_same_receipt() -> None:
    authority = Authority()
    assert authority.report(ONE, 1, b"a") == authority.report(ONE, 1, b"a")
    assert len(authority.ledger) == 1


@pytest.mark.parametrize("how", ["lost", "duplicates", "order_violations"])
def test_each_fault_is_found_where_it_was_put(how: str) -> None:
    assert getattr(audit(ACKNOWLEDGED, ledger()), how) == 0
    assert getattr(audit(ACKNOWLEDGED, doctored(ledger(), how)), how) > 0


def test_an_order_is_broken_also_where_a_short_run_corrected_nobody() -> None:
    once = [taken for taken in ledger() if taken.revision == 1]
    acknowledged = {key: text for key, text in ACKNOWLEDGED.items() if key[1] == 1}
    assert audit(acknowledged, doctored(once, "order_violations")).order_violations


def test_what_was_never_looked_at_is_not_told_to_hold() -> None:
    told = list(Findings("kills", "", invariants=(Invariant("none is lost", 0, 0), Invariant("once", 2, 0))).lines())
    assert [line.split()[0] for line in told[1:]] == ["unseen", "holds"]


def test_a_record_with_other_bytes_is_lost() -> None:
    wrong = [replace(taken, content_hash=b"x") if taken.record == TWO else taken for taken in ledger()]
    assert audit(ACKNOWLEDGED, wrong).lost == 1


def test_a_correction_may_go_without_the_revision_that_it_replaces_and_only_then() -> None:
    without = [taken for taken in ledger() if (taken.record, taken.revision) != (ONE, 1)]
    assert audit(ACKNOWLEDGED, without, replaced=[(ONE, 1)]) == Books(acknowledged=3)
    assert audit(ACKNOWLEDGED, without, excused=[(ONE, 1)]).order_violations == 1


def test_a_section_passes_only_when_nothing_is_lost_and_every_control_failed() -> None:
    good = Findings("x", "did", invariants=(Invariant("holds", 1, 0),), controls={"broken": True})
    assert good.passed
    assert not replace(good, controls={"broken": False}).passed
    assert not replace(good, books=Books(lost=1)).passed
    assert not replace(good, invariants=(Invariant("holds", 1, 1),)).passed
    assert not replace(good, failures=(Failure("x", 1, 2, "what"),)).passed


def test_a_failure_says_how_it_is_played_again() -> None:
    lines = list(Findings("kills", "did", failures=(Failure("kills", 7, 3, "lost one"),)).lines())
    assert any("./run chaos --only kills --seed 7 --case 3" in line for line in lines)
