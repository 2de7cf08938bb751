"""``./run bench start``: time to the first frame, memory of all processes together, CPU while nobody is there."""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from statistics import median

from kiosk.bench.command import count
from kiosk.bench.machine import cores, cpu_share, memory_mb

READY_S = 40.0
SETTLE_S = 3.0


def main(argv: list[str]) -> int:
    """Start the kiosk ``--runs`` times, offscreen; watch the last one idle for ``--idle`` seconds."""
    parser = argparse.ArgumentParser(prog="./run bench start", description="First frame, memory, idle CPU.")
    parser.add_argument("--runs", type=count, default=5)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds to watch the idle kiosk")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    starts: list[dict[str, float]] = []
    memory: dict[str, float] = {}
    idle = 0.0
    for number in range(arguments.runs + 1):
        last = number == arguments.runs
        with tempfile.TemporaryDirectory(prefix="suizhu-bench-") as scratch:
            announced, memory, idle = _run(Path(scratch), arguments.idle if last else 0.0)
        if number > 0:
            starts.append(announced)
    result = {
        "runs": len(starts),
        "first_frame_s_p50": round(median(start["first_frame_s"] for start in starts), 3),
        "first_frame_s_max": round(max(start["first_frame_s"] for start in starts), 3),
        "ready_s_p50": round(median(start["ready_s"] for start in starts), 3),
        "memory_mb": round(sum(memory.values()), 1),
        "memory_mb_by_process": memory,
        "idle_cpu_percent_of_a_core": idle,
        "idle_watched_s": arguments.idle,
        "cores": cores(),
    }
    if arguments.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        sys.stdout.writelines(f"{key:<30}{value}\n" for key, value in result.items())
    return 0


def _run(scratch: Path, idle_s: float) -> tuple[dict[str, float], dict[str, float], float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    config = scratch / "config.toml"
    config.write_text(f'[kiosk]\nstate_dir = "{scratch / "state"}"\n', encoding="utf-8")
    command = [sys.executable, "-m", "kiosk", "start", "--config", str(config), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            announced = json.loads(_line(process))
            threading.Event().wait(SETTLE_S if idle_s else 0.0)
            memory = memory_mb(process.pid)
            idle = cpu_share(process.pid, idle_s) if idle_s else 0.0
        finally:
            process.terminate()
            process.wait(15)
    return announced, memory, idle


def _line(process: subprocess.Popen[str]) -> str:
    """Return the announcement, or raise when it does not come in time."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    stream = process.stdout
    if stream is None:
        raise RuntimeError("the kiosk was started without a pipe")
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=READY_S)
    except queue.Empty:
        raise RuntimeError(f"the kiosk was not ready after {READY_S:.0f} s") from None
    if not line:
        raise RuntimeError(f"the kiosk ended with status {process.wait(5)} before it was ready")
    return line
