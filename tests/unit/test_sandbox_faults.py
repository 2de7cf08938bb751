"""The fault board: which fault hits which request, how often, and that clearing lets go what it holds."""

from __future__ import annotations

import re
import time

import pytest

from kiosk.sandbox import faults
from kiosk.sandbox.fault_script import RATES, Line, mix, read
from kiosk.sandbox.faults import AFTER, BEFORE, LIST, POLICE_ONLY, RECORD, TOLD, TRANSPORT, FaultBoard

RC = b'{"recordId": "r-1", "op": "RC"}'
CI = b'{"recordId": "r-2", "op": "CI"}'
BATCH_OF_RC = b'{"items": [{"record": "{\\"recordId\\":\\"r-1\\",\\"op\\":\\"RC\\"}"}]}'


def judged(board: FaultBoard, *texts: bytes) -> list[int]:
    """Return which of these records a fault hits."""
    path = "/v1/batches"
    return [n for n, text in enumerate(texts) if board.take("police", path, RECORD, method="POST", body=text)]


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


# ---- one record, one kind of record, the n-th ------------------------------------------------------------------------


def test_a_fault_may_be_meant_for_one_record_one_operation_or_the_nth() -> None:
    for options, expected in [
        ({"record": "r-1"}, [1, 3]),
        ({"op": "CI"}, [0, 2]),
        ({"nth": 2}, [1]),
        ({"op": "RC", "nth": 2}, [3]),
        ({"op": "RC", "times": 1}, [1]),
        ({"after": 3}, [3]),
        ({"record": "r-9"}, []),
    ]:
        board = FaultBoard()
        board.add("police_reject", **options)  # type: ignore[arg-type]  # a table of options
        assert judged(board, CI, RC, CI, RC) == expected, options


def test_a_request_is_known_by_the_records_that_it_carries() -> None:
    board = FaultBoard()
    board.add("police_error", record="r-1", op="RC", method="post", path="/v1/batches")
    assert board.take("police", "/v1/batches", BEFORE, method="POST", body=CI) == ()
    assert board.take("police", "/v1/batches", BEFORE, method="GET", body=BATCH_OF_RC) == ()
    assert len(board.take("police", "/v1/batches", BEFORE, method="POST", body=BATCH_OF_RC)) == 1
    board.clear()
    board.add("police_error", record="r-1")
    assert len(board.take("police", "/v1/records/r-1", BEFORE, method="GET")) == 1


# ---- by the clock, by the seed ---------------------------------------------------------------------------------------


def test_a_fault_begins_and_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    board = FaultBoard()
    board.add("police_error", at_s=10, for_s=5)
    board.add("police_disable_device", at_s=10, for_s=5)
    seen = []
    for now[0] in (1009.0, 1010.0, 1014.9, 1015.0):
        seen.append((hits(board), board.standing("police", "disable_device") is not None))
    assert seen == [([], False), (["error"], True), (["error"], True), ([], False)]


def drawn(seed: int, rate: float = 0.25, kind: str = "police_reject") -> list[int]:
    board = FaultBoard()
    board.add(kind, rate=rate, seed=seed)
    return judged(board, *[CI] * 400)


def test_the_same_seed_brings_the_same_faults_and_another_seed_others() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert drawn(7) != drawn(7, kind="police_warn"), "faults of a mixture do not all come at once"
    assert 60 < len(drawn(7)) < 140
    assert drawn(7, rate=0) == []


def test_a_mixture_is_made_of_faults_that_end_well_each_with_its_rate() -> None:
    lines = mix(3, scale=2)
    assert [line.kind for line in lines] == list(RATES)
    board = FaultBoard()
    for line in lines:
        board.add(line.kind, **line.options)
        assert (line.options["seed"], line.options["rate"]) == (3, RATES[line.kind] * 2)
    assert not {"police_reject", "police_reject_later", "police_swapped"} & set(RATES)
    assert mix(1, {"police_cut": 0.9}, scale=9)[0].options["rate"] == 1.0


def test_more_than_the_capacity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    board = FaultBoard()
    board.add("police_capacity", per_s=3)
    refused = [bool(hits(board)) for now[0] in (0.0, 0.1, 0.2, 0.3, 0.9, 1.05, 1.06)]
    assert refused == [False, False, False, True, True, False, True]


# ---- scripts ---------------------------------------------------------------------------------------------------------


def test_a_script_is_a_fault_a_line() -> None:
    script = """
    # a bad hour
    police_outage at_s=10 for_s=2.5   # the line is down
    police_busy http_date=true path=/v1/batches
    """
    assert read(script) == [
        Line("police_outage", {"at_s": 10, "for_s": 2.5}),
        Line("police_busy", {"http_date": True, "path": "/v1/batches"}),
    ]
    with pytest.raises(ValueError, match="line 2: 'times': an option is NAME=VALUE"):
        read("police_cut\npolice_cut times")


@pytest.mark.parametrize("options", [{"minutes": 3}, {"status": 500}, {"times": "often"}, {"rate": "half"}])
def test_an_option_that_a_fault_does_not_have_is_refused(options: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match=r"police_drop|invalid literal|could not convert"):
        FaultBoard().add("police_drop", **options)


def test_one_kind_can_be_cleared_and_the_others_stay() -> None:
    board = FaultBoard()
    board.add("police_cut")
    board.add("police_drop")
    board.clear("police_cut")
    assert board.kinds() == ["police_drop"]


def test_every_effect_is_described_and_nothing_else_is() -> None:
    described = set(re.findall(r"^      ([a-z_]+) ", faults.__doc__ or "", re.MULTILINE))
    assert described == TRANSPORT | POLICE_ONLY
    assert TOLD | LIST <= POLICE_ONLY
