"""No process that sees a guest leaves its memory on the disk when it crashes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.vision_kit import room

pytestmark = pytest.mark.timeout(60)

ROOT = Path(__file__).resolve().parents[2]

CRASH = """
import os, resource, signal, sys
_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
from kiosk import dumps
if sys.argv[1] != "as-is":
    dumps.forbid(also_debuggers=sys.argv[1] == "lobby")
sys.stdout.write(str(os.stat("/proc/self/mem").st_uid))
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGSEGV)
"""


def crash(how: str, folder: Path) -> tuple[bool, list[str]]:
    """Crash a process in ``folder``; say whether the kernel dumped it, and what lies there."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen([sys.executable, "-c", CRASH, how], cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert os.WIFSIGNALED(status)
    return os.WCOREDUMP(status), [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("how", ["demo", "lobby"])
def test_a_crash_is_not_dumped(how: str, tmp_path: Path) -> None:
    assert crash(how, tmp_path) == (False, [])


def test_the_test_would_have_noticed(tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE)[1] in (0, 1):
        pytest.skip("this machine, or a kiosk that ran in this process, forbids dumps already")
    assert crash("as-is", tmp_path)[0]


def test_the_process_that_sees_faces_forbids_its_own() -> None:
    with room() as opened:
        limits = Path(f"/proc/{opened.vision.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert set(core.split()[-3:-1]) <= {"0", "1"}


def test_no_command_is_dumped_either(tmp_path: Path) -> None:
    asked = ["queue", "export", str(tmp_path), "--operator", "li.na", "--reason", "network gone", "--config", "nowhere"]
    play = (
        "import resource, runpy, sys\n"
        "_, most = resource.getrlimit(resource.RLIMIT_CORE)\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most))\n"
        "try:\n    runpy.run_module('kiosk', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "sys.stdout.write(str(resource.getrlimit(resource.RLIMIT_CORE)[0]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", play, *asked], capture_output=True, text=True, env=environment, check=False, timeout=50
    )
    assert done.stdout in ("0", "1")
