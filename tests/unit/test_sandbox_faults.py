"""The fault board: which fault hits which request, how often, and that clearing lets go what it holds."""

from __future__ import annotations

import pytest

from kiosk.sandbox.faults import AFTER, BEFORE, RECORD, FaultBoard


def hits(board: FaultBoard, server: str = "police", path: str = "/v1/batches") -> list[str]:
    return [fault.effect for fault in board.take(server, path, BEFORE | AFTER | RECORD)]


@pytest.mark.parametrize(
    "kind", ["police_explode", "bank_timeout", "gateway_reject", "hotel_clock_skew", "timeout", "gateway_", ""]
)
def test_an_unknown_fault_is_refused_and_the_kinds_are_named(kind: str) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        FaultBoard().add(kind)


def test_a_fault_holds_until_it_is_cleared() -> None:
    board = FaultBoard()
    board.add("police_error")
    assert [hits(board) for _ in range(3)] == [["error"]] * 3
    board.clear()
    assert hits(board) == []


def test_times_and_after_count_requests() -> None:
    board = FaultBoard()
    board.add("police_cut", after=1, times=2)
    assert [hits(board) for _ in range(4)] == [[], ["cut"], ["cut"], []]


def test_a_fault_hits_its_own_server_and_paths_only() -> None:
    board = FaultBoard()
    board.add("police_drop", path="/v1/batches", times=1)
    assert hits(board, path="/v1/token") == []
    assert hits(board, server="gateway") == []
    assert hits(board, path="/v1/batches/7") == ["drop"]
    assert hits(board) == []


def test_only_the_effects_that_are_asked_for_are_counted() -> None:
    board = FaultBoard()
    board.add("police_drop", times=1)
    assert board.take("police", "/v1/batches", BEFORE) == ()
    assert hits(board) == ["drop"]


def test_a_standing_fault_is_not_used_up() -> None:
    board = FaultBoard()
    board.add("police_clock_skew", s=900)
    for _ in range(2):
        fault = board.standing("police", "clock_skew")
        assert fault is not None
        assert fault.number("s", 600) == 900
    board.clear()
    assert board.standing("police", "clock_skew") is None


@pytest.mark.parametrize("kind", ["police_defer", "police_expire_token"])
def test_what_is_an_event_happens_once_unless_told_otherwise(kind: str) -> None:
    board = FaultBoard()
    board.add(kind)
    effect = frozenset({kind.removeprefix("police_")})
    assert len(board.take("police", "/v1/batches", effect)) == 1
    assert board.take("police", "/v1/batches", effect) == ()


def test_clearing_lets_go_the_requests_that_a_fault_holds() -> None:
    board = FaultBoard()
    board.add("gateway_timeout")
    (held,) = board.take("gateway", "/v1/codes", BEFORE)
    assert not held.cleared.is_set()
    board.clear()
    assert held.cleared.is_set()
