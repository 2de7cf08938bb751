"""``./run bench checkin``: machine time of whole check-ins, camera paced at 30 fps, sandbox latency 50 ms a call.

Wall time from the first frame that shows the code to the key, less the waits for a touch once the
screen is painted. Guests alternate between Suishen code and e-ID QR; both take the face step. It says
how fast the machine is with simulated hardware, nothing of readers, printers or real faces.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from kiosk import log as logs
from kiosk.bench.command import count
from kiosk.bench.machine import cores
from kiosk.demo.command import demo_config
from kiosk.demo.guests import Director, Guest, Visit
from kiosk.demo.watch import Watch

LATENCY_MS = 50.0
WARM_UP = 2
"""Guests before the first counted one: nets and connections are warm in a lobby, too."""


def main(argv: list[str]) -> int:
    """Measure ``--guests`` check-ins. Exit 0 when all of them ended in a key."""
    parser = argparse.ArgumentParser(prog="./run bench checkin", description="Machine time of whole check-ins.")
    parser.add_argument("--guests", type=count, default=30)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="suizhu-bench-") as scratch:
        visits, error = _measure(arguments.guests, Path(scratch))
    if error is not None:
        sys.stderr.write(f"bench checkin: stopped after {len(visits)} guests: {type(error).__name__}: {error}\n")
    if not visits:
        return 1
    result = summary(visits)
    if arguments.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        _print(result)
    return 0 if error is None else 1


def _measure(guests: int, scratch: Path) -> tuple[list[Visit], Exception | None]:
    from kiosk.start import LiveKiosk, Observers

    config = demo_config(None, scratch)
    config = config.model_copy(update={"sandbox": config.sandbox.model_copy(update={"latency_ms": LATENCY_MS})})
    logs.configure(config.kiosk.state_dir, quiet=True)
    watch = Watch()
    visits: list[Visit] = []
    running = LiveKiosk(config, Observers(watch.shown, watch.painted, watch.saw, watch.receipted, watch.left))

    def script(live: LiveKiosk) -> None:
        from drivers.camera.stage import Stage
        from kiosk.weights import cache

        if live.sandbox is None or config.camera.scene_socket is None:
            raise RuntimeError("the bench needs the embedded sandbox and the simulated camera")
        director = Director(live.glass, Stage(config.camera.scene_socket), watch)
        astronaut, hopper = cache.path("demo_face_astronaut"), cache.path("demo_face_hopper")
        watch.wait_for_eyes()
        for number in range(guests + WARM_UP):
            if number % 2 == 0:
                guest = Guest("suishen", live.sandbox.issue_suishen("lin"), astronaut)
            else:
                guest = Guest("claim169", live.sandbox.issue_claim169("zhou"), hopper)
            visit = director.play(guest)
            if number >= WARM_UP:
                visits.append(visit)
                sys.stderr.write(f"\r{len(visits)}/{guests} guests")
        sys.stderr.write("\n")

    running.run(script)
    return visits, running.error


def summary(visits: list[Visit]) -> dict[str, object]:
    """Return the figures, in milliseconds."""
    machine = [visit.machine_ms for visit in visits]
    names = list(dict.fromkeys(name for visit in visits for name in visit.steps_ms))
    steps = {name: round(median(v.steps_ms[name] for v in visits if name in v.steps_ms), 1) for name in names}
    by_credential = {
        kind: round(median(v.machine_ms for v in visits if v.credential == kind), 1)
        for kind in sorted({v.credential for v in visits})
    }
    return {
        "guests": len(visits),
        "machine_ms_p50": round(median(machine), 1),
        "machine_ms_p95": round(quantiles(machine, n=20)[-1], 1) if len(machine) > 1 else machine[0],
        "machine_ms_max": max(machine),
        "by_credential_ms_p50": by_credential,
        "step_ms": steps,
        "sandbox_latency_ms": LATENCY_MS,
        "cores": cores(),
        "python": platform.python_version(),
    }


def _print(result: dict[str, object]) -> None:
    for key, value in result.items():
        if isinstance(value, dict):
            sys.stdout.write(f"{key}\n")
            for name, ms in value.items():
                sys.stdout.write(f"    {name:<26}{ms:10.1f}\n")
        else:
            sys.stdout.write(f"{key:<30}{value}\n")
