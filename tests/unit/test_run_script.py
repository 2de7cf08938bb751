"""``./run`` itself, in a folder of its own; stand-ins for Python and Debian write down how they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
case "$*" in
    *sys.version_info*) exit 0 ;;
    --version) echo Python 3; exit 0 ;;
esac
echo "$*" >>"$CALLS"
case "$*" in
    "-m venv "*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
    "-P -m kiosk models install") mkdir -p "$SUIZHU_CACHE/models"; echo fetching; touch "$SUIZHU_CACHE/models/$STAMP" ;;
    "-P -m kiosk scan") found=$(locale charmap; readlink /proc/$$/fd/[012]); echo "$found" >>"$CALLS" ;;
    "-P -m kiosk "*) echo "the command's answer"; exit 7 ;;
    *) echo installing ;;
esac
case "$*" in *"$CUT_OFF_AT"*) kill -9 $PPID ;; esac
"""
DPKG_QUERY = '#!/bin/sh\ncase " $MISSING " in *" $4 "*) exit 1 ;; *) printf installed ;; esac\n'
ID = '#!/bin/sh\necho "$USER_ID"\n'
SUDO = """#!/bin/sh
[ "$SUDOER $1" = "yes -n" ] || exit 1
shift
echo "sudo $*" >>"$CALLS"
exec "$@"
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$CALLS"
case "$*" in
    *--fix-broken*) rm "$HALF_SET_UP" ;;
    *install*) [ ! -e "$HALF_SET_UP" ] ;;
esac
"""
DPKG = '#!/bin/sh\necho "dpkg $*" >>"$CALLS"\n[ -z "$LACKING" ] && rm "$HALF_SET_UP"\n'

pytestmark = pytest.mark.timeout(60)


class Machine:
    """A bare machine with a fresh clone on it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "clone"
        (self.root / "kiosk" / "face").mkdir(parents=True)
        shutil.copy(ROOT / "run", self.root)
        for name in ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock", "kiosk/face/models.toml"):
            shutil.copy(ROOT / name, self.root / name)
        tools = folder / "bin"
        tools.mkdir()
        for name, text in (
            ("python3", PYTHON),
            ("dpkg-query", DPKG_QUERY),
            ("id", ID),
            ("sudo", SUDO),
            ("apt-get", APT_GET),
            ("dpkg", DPKG),
        ):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        self.calls_file = folder / "calls"
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "CALLS": str(self.calls_file),
            "SUIZHU_CACHE": str(folder / "cache"),
            "STAMP": self._stamp(),
            "MISSING": "",
            "LACKING": "",
            "HALF_SET_UP": str(folder / "half-set-up"),
            "USER_ID": "0",
            "SUDOER": "",
            "CUT_OFF_AT": "(nowhere)",
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        command = [str(self.root / "run"), *arguments]
        return subprocess.run(
            command, env={**self.environment, **environment}, capture_output=True, text=True, cwd="/", check=False
        )

    @property
    def calls(self) -> list[str]:
        """Of the latest run: how the stand-ins were called."""
        return self.calls_file.read_text().splitlines()

    def installed(self) -> list[str]:
        """Of the latest run: the lock files that were installed."""
        return [Path(call.split()[-1]).name for call in self.calls if "-m uv pip install" in call]

    def _stamp(self) -> str:
        script = f'cat "{self.root}/kiosk/face/models.toml" | sha256sum | cut -c 1-16'
        return ".installed-" + subprocess.check_output(["sh", "-c", script], text=True).strip()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_start_sets_up_and_leaves_stdout_to_the_command(machine: Machine) -> None:
    done = machine.run("flow", "--json")
    assert (done.returncode, done.stdout) == (7, "the command's answer\n")
    assert machine.calls[0].startswith("-m venv ")
    assert "--require-hashes" in machine.calls[1]
    assert machine.installed() == ["requirements.lock"]
    assert machine.calls[-1] == "-P -m kiosk flow --json"
    assert "installing Python packages from requirements.lock" in done.stderr


def test_a_second_start_is_the_command_alone_and_takes_no_second(machine: Machine) -> None:
    machine.run("demo")
    taken = []
    for _ in range(3):
        begun = time.monotonic()
        done = machine.run("demo")
        taken.append(time.monotonic() - begun)
        assert machine.calls == ["-P -m kiosk demo"]
        assert done.stderr == ""
    assert min(taken) < 1  # a busy machine may hold up one of them


@pytest.mark.parametrize("moment", ["-m venv", "-m pip install", "-m uv pip install"])
def test_a_set_up_that_was_cut_off_is_begun_anew(machine: Machine, moment: str) -> None:
    assert machine.run("flow", CUT_OFF_AT=moment).stdout == ""
    assert machine.run("flow").returncode == 7
    assert machine.calls[0].startswith("-m venv ")
    assert machine.installed() == ["requirements.lock"]


def test_models_are_fetched_for_the_commands_that_need_them_and_once(machine: Machine) -> None:
    machine.run("flow")
    assert "-P -m kiosk models install" not in machine.calls
    done = machine.run("face", "a.png", "b.png")
    assert machine.calls == ["-P -m kiosk models install", "-P -m kiosk face a.png b.png"]
    assert done.stdout == "the command's answer\n"
    machine.run("face", "a.png", "b.png")
    assert machine.calls == ["-P -m kiosk face a.png b.png"]


def test_the_developers_environment_serves_the_kiosk_too(machine: Machine) -> None:
    machine.run("fmt")
    assert machine.installed() == ["requirements-dev.lock"]
    machine.run("flow")
    assert machine.installed() == []
    machine.run("fmt")
    assert machine.installed() == []


def test_packages_of_another_lock_are_not_taken_for_those_of_this_one(machine: Machine) -> None:
    locks = [machine.root / name for name in ("requirements.lock", "requirements-dev.lock")]
    before = [lock.read_text() for lock in locks]
    machine.run("flow")
    for lock in locks:
        lock.write_text("newer==1\n")
    machine.run("fmt")
    for lock, text in zip(locks, before, strict=True):
        lock.write_text(text)
    machine.run("flow")
    assert machine.installed() == ["requirements.lock"]


def test_without_root_the_missing_debian_packages_are_one_line(machine: Machine) -> None:
    done = machine.run("flow", MISSING="libzbar0 fonts-noto-cjk", USER_ID="1000")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("as root, then try again: apt-get install --no-install-recommends fonts-noto-cjk libzbar0")
    assert machine.calls == []


def test_root_installs_the_missing_debian_packages_and_no_other(machine: Machine) -> None:
    machine.run("flow", MISSING="libzbar0 fonts-noto-cjk")
    asked = [call for call in machine.calls if call.startswith("apt-get")]
    assert asked[-1].endswith("install --no-install-recommends fonts-noto-cjk libzbar0")
    assert machine.calls[-1] == "-P -m kiosk flow"


def test_a_kiosk_needs_no_package_that_only_tests_use(machine: Machine) -> None:
    for command, wanted in (("flow", "libzbar0"), ("chaos", "libzbar0 swtpm")):
        machine.run(command, MISSING="libzbar0 swtpm")
        assert machine.calls[1].endswith(f"install --no-install-recommends {wanted}")


def test_who_may_use_sudo_without_a_password_installs_them_too(machine: Machine) -> None:
    assert machine.run("flow", MISSING="libzbar0", USER_ID="1000", SUDOER="yes").returncode == 7
    asked = [call for call in machine.calls if call.startswith("sudo env ")]
    assert [call.split()[-1] for call in asked] == ["update", "libzbar0"]
    assert all(" apt-get -q -y " in call for call in asked)


def test_packages_that_a_cut_off_apt_get_left_half_set_up_are_finished_first(machine: Machine) -> None:
    half = Path(machine.environment["HALF_SET_UP"])
    half.touch()
    assert machine.run("flow", MISSING="libzbar0").returncode == 7
    assert not half.exists()
    asked = [call.split()[-1] for call in machine.calls if call.startswith(("apt-get", "dpkg"))]
    assert asked == ["update", "libzbar0", "-a", "libzbar0"]


def test_packages_that_lack_a_half_unpacked_one_are_mended(machine: Machine) -> None:
    half = Path(machine.environment["HALF_SET_UP"])
    half.touch()
    assert machine.run("flow", MISSING="libzbar0", LACKING="yes").returncode == 7
    assert any("--fix-broken --no-remove" in call for call in machine.calls)


@pytest.mark.parametrize("locale", ["POSIX", "C", "xx_YY.GBK", "C.UTF-8"])
def test_a_command_runs_in_utf_8_whatever_the_locale(machine: Machine, locale: str) -> None:
    machine.run("scan", LC_ALL=locale)
    assert machine.calls[-4] == "UTF-8"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_the_caller_closed_is_no_place_for_the_next_file(machine: Machine, number: int) -> None:
    command = ["sh", "-c", f'exec "$0" scan {number}>&-', str(machine.root / "run")]
    subprocess.run(command, env=machine.environment, capture_output=True, check=True, cwd="/")
    assert machine.calls[-3:][number] == "/dev/null"


def test_the_lock_is_written_in_the_network_in_which_it_was_installed(machine: Machine) -> None:
    machine.run("lock")
    uv = [call for call in machine.calls if call.startswith("-m uv pip")]
    assert [call.split()[3] for call in uv] == ["install", "compile", "compile"]
    assert len({"--system-certs" in call for call in uv}) == 1
