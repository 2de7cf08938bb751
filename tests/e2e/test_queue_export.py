"""Three in the morning, no network for three days, an officer at the desk: a clerk types one command on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pyzipper

from tests.outbox_kit import NAME, NUMBER
from tests.unit.queue_kit import Kiosk

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
REASON = "酒店网络中断三天"
END = b"\0"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a command did."""

    status: int
    stdout: str
    stderr: str
    terminal: str


@contextmanager
def new_terminal() -> Iterator[tuple[int, int]]:
    near, far = os.openpty()
    try:
        yield near, far
    finally:
        os.close(near)
        os.close(far)


def typed(kiosk: Kiosk, *words: str, on_terminal: bool = True, answers: str = "", largest: int = -1) -> Typed:
    """Run a command as a clerk does: on a terminal of its own, its output led into a pipe.

    ``largest``: bytes that a file of it may have.
    """
    command = [sys.executable, "-P", "-m", "kiosk", "queue", *words, "--config", str(kiosk.config)]
    environment = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "HOME": str(kiosk.state_dir),
    }
    with new_terminal() as (near, far):

        def begin() -> None:
            if on_terminal:
                fcntl.ioctl(far, termios.TIOCSCTTY, 0)
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, -1))

        with subprocess.Popen(
            command,
            cwd=kiosk.config.parent,
            env=environment,
            stdin=far if on_terminal else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=begin,
            pass_fds=(far,),
        ) as run:
            shown = answer_prompts(near, run, answers)
            out, err = run.communicate(timeout=90)
        return Typed(run.returncode, out, err, shown + rest(near, far))


def answer_prompts(near: int, run: subprocess.Popen[str], answers: str) -> str:
    """Type each line when it is asked for."""
    shown = ""
    until = time.monotonic() + 60
    for number, line in enumerate(answers.splitlines(), 1):
        while shown.count(": ") < number and run.poll() is None and time.monotonic() < until:
            shown += read(near, 0.2)
        os.write(near, (line + "\n").encode())
    return shown


def rest(near: int, far: int) -> str:
    """Read what a command that is over left on the terminal: all that comes before a mark of ours."""
    os.write(far, END)
    held = b""
    while not held.endswith(END):
        held += os.read(near, 65_536)
    return held.removesuffix(END).decode()


def read(near: int, wait_s: float) -> str:
    held = b""
    while select.select([near], [], [], wait_s)[0]:
        held += os.read(near, 65_536)
    return held.decode()


@pytest.fixture(params=[True, False], ids=["running", "stopped"])
def kiosk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=request.param)) as made:
        yield made


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    folder = tmp_path / "usb stick 随住"
    folder.mkdir()
    return folder


def test_a_clerk_takes_what_waits_to_the_station(kiosk: Kiosk, usb: Path) -> None:
    done = typed(kiosk, "export", str(usb), "--operator", "li.na", "--reason", REASON)
    assert done.status == 0, done
    (path,) = usb.iterdir()
    assert str(path) in done.stdout
    assert "The records stay in the queue" in done.stdout
    secret = re.search(r"passphrase: (\S+)", done.terminal)
    assert secret is not None
    assert secret[1] not in done.stdout + done.stderr
    with pyzipper.AESZipFile(path) as archive:
        archive.setpassword(secret[1].encode())
        assert json.loads(archive.read(f"records/{kiosk.waiting}-r1.json"))["guest"]["name"] == NAME
        assert archive.read("registrations.pdf").startswith(b"%PDF-")
        assert json.loads(archive.read("manifest.json"))["export"]["reason"] == REASON
    for told in (done.stdout, done.stderr, done.terminal):
        assert NAME not in told
        assert NUMBER not in told
    assert kiosk.audited("queue.export")[0].fields["operator"] == "li.na"


def test_a_clerk_types_a_passphrase_that_is_not_shown(kiosk: Kiosk, usb: Path) -> None:
    secret = "wild geese over the lake"
    words = ("export", str(usb), "--operator", "li.na", "--reason", REASON, "--type-passphrase")
    done = typed(kiosk, *words, answers=f"{secret}\n{secret}\n")
    assert done.status == 0, done
    assert secret not in done.terminal + done.stdout + done.stderr
    with pyzipper.AESZipFile(next(usb.iterdir())) as archive:
        archive.setpassword(secret.encode())
        assert archive.read("registrations.csv")


def test_two_passphrases_that_differ_write_nothing(kiosk: Kiosk, usb: Path) -> None:
    words = ("export", str(usb), "--operator", "li.na", "--reason", REASON, "--type-passphrase")
    done = typed(kiosk, *words, answers="wild geese over the lake\nwild geese over the land\n")
    assert done.status == 1
    assert "differ" in done.stderr
    assert list(usb.iterdir()) == []


def test_where_no_terminal_is_nothing_is_written(kiosk: Kiosk, usb: Path) -> None:
    done = typed(kiosk, "export", str(usb), "--operator", "li.na", "--reason", REASON, "--json", on_terminal=False)
    assert done.status == 1
    assert "no terminal to show the passphrase on" in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr
    assert list(usb.iterdir()) == []


@pytest.mark.parametrize("words", [("--reason", REASON), ("--operator", "li.na")])
def test_who_does_not_say_who_and_why_gets_the_usage(kiosk: Kiosk, usb: Path, words: tuple[str, ...]) -> None:
    done = typed(kiosk, "export", str(usb), *words)
    assert done.status == 2
    assert "usage: ./run queue export" in done.stderr
    assert list(usb.iterdir()) == []


def test_a_device_named_in_place_of_a_file_is_not_written_to(kiosk: Kiosk) -> None:
    done = typed(kiosk, "export", "/dev/full", "--operator", "li.na", "--reason", REASON)
    assert done.status == 1
    assert re.search(r"/dev/full: File exists; nothing was written. Fix", done.stderr)


@pytest.mark.parametrize("largest", [100, 4000, 20_000])
def test_a_stick_without_room_is_told_and_holds_no_half(tmp_path: Path, usb: Path, largest: int) -> None:
    words = ("export", str(usb), "--operator", "li.na", "--reason", REASON)
    with closing(Kiosk(tmp_path, running=True)) as kiosk:
        done = typed(kiosk, *words, largest=largest)
    assert done.status == 1
    assert re.fullmatch(r"suizhu queue: export: .*File too large; half an archive was removed.*Fix.*\n", done.stderr)
    assert "passphrase" not in done.terminal
    assert list(usb.iterdir()) == []


def test_other_verbs_answer_in_one_line_of_json(kiosk: Kiosk) -> None:
    for words in (("status",), ("list", "--waiting"), ("show", kiosk.waiting), ("verify",), ("purge", "--dry-run")):
        done = typed(kiosk, *words, "--json", on_terminal=False)
        assert done.status == 0, done
        assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)
        assert NAME not in done.stdout
    gone = typed(kiosk, "show", "0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11", on_terminal=False)
    assert (gone.status, gone.stdout) == (1, "")
    assert gone.stderr.startswith("suizhu queue: ")
    assert gone.stderr.count("\n") == 1
