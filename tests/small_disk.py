"""A small real file system for a test: a tmpfs in a name space of its own, for which no privilege is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
UNSHARE = shutil.which("unshare")
_SCRIPT = 'mount -t tmpfs -o size="$1" tmpfs "$2" || exit; shift 2; exec "$@"'


def may_mount(folder: Path) -> bool:
    """Say whether this user may mount one."""
    if UNSHARE is None:
        return False
    tried = [UNSHARE, "-Urm", "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    return subprocess.run(tried, capture_output=True, check=False, timeout=60).returncode == 0


def on_a_small_disk(folder: Path, size_mb: int, module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m module`` with such a disk mounted on ``folder``, and return the JSON object that it says last."""
    command = [str(UNSHARE), "-Urm", "sh", "-c", _SCRIPT, "sh", f"{size_mb}m", str(folder)]
    told = subprocess.run(
        [*command, sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=150,
    )
    assert told.returncode == 0, told.stderr.decode()[-3000:]
    said: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return said
