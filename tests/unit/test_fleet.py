"""The fleet bench: its model keeps the books, and its verdict can fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.bench import fleet
from kiosk.bench.fleet import Run, plans
from kiosk.bench.fleet_model import BATCH, LIMITS, LOOK, RESULTS, TOKEN, Fleet, Kiosk
from offline_queue.delivery.line import Pace

PLAN = plans(kiosks=300, outage_h=1.0, capacity=3.0, retry_after_s=10.0, seed=7)["network"]


def test_every_kiosk_delivers_and_no_second_serves_more_than_the_capacity() -> None:
    outcome = Fleet(PLAN).run()
    assert outcome.starved == 0
    assert len(outcome.waits) == pytest.approx(300, abs=60)  # who put nothing within the hour has nothing to deliver
    assert outcome.served <= PLAN.capacity * (outcome.drained_s + PLAN.queue_s + 1)
    assert sum(outcome.arrivals.values()) == outcome.served + outcome.refused


def test_a_kiosk_asks_in_the_order_in_which_the_sync_thread_asks() -> None:
    steps: dict[int, list[str]] = {}

    class Watched(Fleet):
        def _serve(self, kiosk: Kiosk, number: int, now: float) -> None:
            steps.setdefault(number, []).append(kiosk.next_ask)
            super()._serve(kiosk, number, now)

    Watched(replace(PLAN, kiosks=100, capacity=1e6)).run()
    begun = {tuple(asked[:4]) for asked in steps.values() if len(asked) >= 4}
    assert (TOKEN, LIMITS, BATCH, RESULTS) in begun
    assert any(asked[:3] == [TOKEN, LIMITS, LOOK] for asked in steps.values()), "one that holds no record looks, too"
    assert all(first == [TOKEN, LIMITS] for first in (asked[:2] for asked in steps.values()) if len(first) == 2)


def test_the_same_seed_plays_the_same_evening() -> None:
    assert Fleet(PLAN).run() == Fleet(PLAN).run()
    assert Fleet(replace(PLAN, seed=8)).run() != Fleet(PLAN).run()


@pytest.mark.parametrize("name", fleet.OURS)
def test_our_waits_hold_what_the_fleet_promises(name: str) -> None:
    plan = plans(kiosks=5000, outage_h=4.0, capacity=50.0, retry_after_s=10.0, seed=3)[name]
    assert Run("ours", plan, Fleet(plan).run()).holds()


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(PLAN, every_minute=True),
        replace(PLAN, pace=Pace(base_s=2.0, cap_s=300.0, spread_s=0.0, batch_max=50), restart=True),
    ],
    ids=["cron", "no spread after a power cut"],
)
def test_waits_that_make_a_storm_do_not_pass(spoilt: fleet.Plan) -> None:
    assert not Run("spoilt", spoilt, Fleet(spoilt).run()).holds()


def test_a_picture_that_cannot_be_written_is_told_before_the_wait(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        fleet.main(["--plot", str(tmp_path / "absent" / "fleet.png")])
    assert "there is no folder" in capsys.readouterr().err


def test_the_bench_tells_one_object_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "fleet.png"
    status = fleet.main(["--kiosks", "300", "--outage-h", "1", "--capacity", "3", "--json", "--plot", str(picture)])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert status == (0 if all(told["holds"].values()) else 1)
    assert set(told["scenarios"]) == {"network", "power", "one_by_one", "every_minute"}
    assert told["drained_s"] == told["scenarios"]["network"]["drained_s"]
    assert picture.read_bytes().startswith(b"\x89PNG")
