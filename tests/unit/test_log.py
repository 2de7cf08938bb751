"""The log file: masked, bounded, private, shared by processes, and never in the way."""

from __future__ import annotations

import logging
import re
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import log as logs

NUMBER = "110101199003070011"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (\w+) ([\w.]+): (.*)")

log = logging.getLogger("kiosk.test_log")


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    level = logger.level
    yield logger
    logs.unconfigure()
    logger.setLevel(level)


def text(state_dir: Path) -> str:
    return (state_dir / "log" / "kiosk.log").read_text(encoding="utf-8")


def ours() -> list[logging.Handler]:
    return [one for one in logging.getLogger().handlers if isinstance(one, logs.SharedFile | logs.Terminal)]


def test_a_line_says_when_how_bad_who_and_what(tmp_path: Path) -> None:
    logs.configure(tmp_path, quiet=True)
    log.warning("staff needed: number %s, %s", "317", "face.declined")
    found = LINE.fullmatch(text(tmp_path).strip())
    assert found is not None
    assert found.groups() == ("WARNING", "kiosk.test_log", "staff needed: number 317, face.declined")


def test_neither_file_nor_terminal_shows_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(tmp_path)
    try:
        raise ValueError(f"https://h.example/code?t={NUMBER}")
    except ValueError:
        log.exception("id %s", NUMBER)
    for told in (text(tmp_path), capsys.readouterr().err):
        assert "id 110101********0011" in told
        assert "https://h.example/…" in told
        assert NUMBER not in told


def test_quiet_leaves_the_terminal_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(tmp_path, quiet=True)
    log.error("for the file")
    assert capsys.readouterr().err == ""
    assert "for the file" in text(tmp_path)


def test_folder_and_files_are_for_the_kiosk_alone(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir(mode=0o700)
    (folder / "kiosk.log").touch(mode=0o644)
    logs.configure(tmp_path, quiet=True)
    handler = logs.SharedFile(folder / "small.log", max_bytes=200, kept=2)
    for number in range(30):
        handler.emit(logging.LogRecord("k", logging.INFO, "", 1, f"entry {number:03}", (), None))
    handler.close()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_file_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    handler = logs.SharedFile(tmp_path / "k.log", max_bytes=500, kept=2)
    for number in range(200):
        handler.emit(logging.LogRecord("k", logging.INFO, "", 1, f"entry {number:03}", (), None))
    handler.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k.log", "k.log.1", "k.log.2"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1500
    kept = "".join((tmp_path / name).read_text() for name in ("k.log.2", "k.log.1", "k.log"))
    assert kept.endswith("entry 198\nentry 199\n")


def test_two_writers_lose_no_line_when_one_of_them_rotates(tmp_path: Path) -> None:
    one, other = (logs.SharedFile(tmp_path / "k.log", max_bytes=600, kept=20) for _ in range(2))
    for number in range(100):
        writer = one if number % 3 else other
        writer.handle(logging.LogRecord("k", logging.INFO, "", 1, f"entry {number:03}", (), None))
    one.close()
    other.close()
    lines = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted(lines) == [f"entry {number:03}" for number in range(100)]


def test_two_writers_that_find_the_file_full_at_once_rotate_it_once(tmp_path: Path) -> None:
    one, other = (logs.SharedFile(tmp_path / "k.log", max_bytes=600, kept=20) for _ in range(2))
    one.handle(logging.LogRecord("k", logging.INFO, "", 1, "entry", (), None))
    one.doRollover()
    other.doRollover()
    one.close()
    other.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k.log", "k.log.1"]


def test_configuring_again_moves_the_log_and_doubles_nothing(tmp_path: Path) -> None:
    logs.configure(tmp_path / "first", quiet=True)
    logs.configure(tmp_path / "second", quiet=True)
    logs.configure(tmp_path / "second", quiet=True)
    log.info("once")
    assert text(tmp_path / "second").count("once") == 1
    assert text(tmp_path / "first") == ""
    assert len(ours()) == 1


def test_a_warning_and_an_uncaught_error_of_a_thread_end_in_the_log(tmp_path: Path) -> None:
    logs.configure(tmp_path, quiet=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"about {NUMBER}", UserWarning, stacklevel=1)

    def break_down() -> None:
        raise ValueError(NUMBER)

    thread = threading.Thread(target=break_down, name="hand")
    thread.start()
    thread.join()
    told = text(tmp_path)
    assert "UserWarning: about 110101********0011" in told
    assert "uncaught in thread hand" in told
    assert "ValueError: 110101********0011" in told


def test_a_message_of_several_lines_cannot_pose_as_an_entry(tmp_path: Path) -> None:
    logs.configure(tmp_path, quiet=True)
    log.info("one\n2026-01-01T00:00:00.000+08:00 INFO kiosk.app: forged\r2026")
    lines = text(tmp_path).splitlines()
    assert len(lines) == 3
    assert sum(bool(LINE.match(line)) for line in lines) == 1


def test_a_disk_that_refuses_costs_the_line_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(tmp_path, quiet=True)
    (handler,) = (one for one in ours() if isinstance(one, logs.SharedFile))
    path = tmp_path / "log" / "kiosk.log"
    path.unlink()
    path.mkdir()
    log.error("lost")
    assert handler.lost == 1
    path.rmdir()
    log.error("there again")
    assert "there again" in text(tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.timeout(60)
def test_an_uncaught_error_of_a_process_is_masked_on_the_terminal_too(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from kiosk import log; "
        "log.configure(Path(sys.argv[1]), quiet=sys.argv[2] == 'quiet'); raise ValueError(sys.argv[3])"
    )
    for quiet in ("quiet", "loud"):
        ran = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), quiet, NUMBER],
            capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert ran.returncode == 1
        assert "ValueError" in ran.stderr
        assert NUMBER not in ran.stderr
    assert text(tmp_path).count("uncaught ValueError") == 2
    assert NUMBER not in text(tmp_path)
