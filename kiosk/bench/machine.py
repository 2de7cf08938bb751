"""What a family of processes costs, read from the operating system through psutil."""

from __future__ import annotations

import os
import time

import psutil


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def family(pid: int) -> list[psutil.Process]:
    """Return the process and all its descendants that are alive now."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def memory_mb(pid: int) -> dict[str, float]:
    """Return proportional memory (PSS, MB) by process, shared pages counted once over all; key: its role or pid."""
    found: dict[str, float] = {}
    for process in family(pid):
        try:
            found[f"{_role(process)}:{process.pid}"] = round(process.memory_full_info().pss / 1e6, 1)
        except psutil.NoSuchProcess:
            continue
    return found


def cpu_share(pid: int, seconds: float) -> float:
    """Watch for ``seconds``; return the CPU time of the whole family as a share of one core, in percent."""
    before = {process.pid: sum(process.cpu_times()[:2]) for process in family(pid)}
    began = time.monotonic()
    time.sleep(seconds)
    used = sum(sum(p.cpu_times()[:2]) - before.get(p.pid, 0.0) for p in family(pid))
    return round(100 * used / (time.monotonic() - began), 1)


def _role(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    return next((role for role in ("vision", "sandbox", "start", "demo") if role in words), "process")
