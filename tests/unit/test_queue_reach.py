"""What stands in the way of ``./run queue`` is told in one line: what, where, the fix; nothing is made or changed."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kiosk import cli
from kiosk.config import load
from kiosk.errors import OutboxUnavailable
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import reach
from offline_queue.commands.main import VERBS, main
from offline_queue.owner import OutboxOwner
from tests.outbox_kit import opened
from tests.unit.queue_kit import Kiosk

pytestmark = pytest.mark.timeout(60)

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=False)) as made:
        yield made


@pytest.fixture
def open_house() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own are for one user."""
    with tempfile.TemporaryDirectory(prefix="house-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def refusal(kiosk: Kiosk, *words: str) -> str:
    with pytest.raises(OutboxUnavailable) as told:
        kiosk.asked(*(words or ("status",)))
    assert "\n" not in str(told.value)
    return str(told.value)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_uid, path.stat().st_size) for path in folder.iterdir()}


@needs_root
def test_root_leaves_alone_what_a_kiosk_of_another_user_must_open_again(stopped: Kiosk) -> None:
    for path in (stopped.state_dir, *stopped.state_dir.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    before = files(stopped.state_dir)
    told = refusal(stopped)
    assert re.search(r"belongs to \w+, you are root; nothing was touched. Fix: .*sudo -u \w+ ./run queue", told)
    assert files(stopped.state_dir) == before


@needs_root
def test_another_user_is_told_whom_to_ask_as(stopped: Kiosk) -> None:
    config = load(stopped.config)
    with acting_as(NOBODY), pytest.raises(OutboxUnavailable, match=r"Permission denied.*user that runs the kiosk"):
        reach.rows(config, Inquiry("status"))


@needs_root
def test_another_user_is_refused_by_a_running_kiosk(open_house: Path) -> None:
    with closing(Kiosk(open_house, running=True)) as kiosk:
        config = load(kiosk.config)
        kiosk.state_dir.chmod(0o755)
        with acting_as(NOBODY), pytest.raises(OutboxUnavailable, match=r"Permission denied.*user that runs"):
            reach.rows(config, Inquiry("status"))


@needs_root
def test_a_folder_that_its_own_user_may_not_write_is_told(open_house: Path) -> None:
    with closing(Kiosk(open_house, running=False)) as kiosk:
        config = load(kiosk.config)
        for path in (kiosk.state_dir, *kiosk.state_dir.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        kiosk.state_dir.chmod(0o500)
        before = files(kiosk.state_dir)
        with acting_as(NOBODY), pytest.raises(OutboxUnavailable, match=r"may not write there.*chmod 700"):
            reach.rows(config, Inquiry("status"))
        assert files(kiosk.state_dir) == before


def test_a_disk_that_became_read_only_is_told(stopped: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(stopped.state_dir)
    read_only = os.statvfs_result([*real[:8], real.f_flag | os.ST_RDONLY, real[9]])
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    monkeypatch.setattr("os.statvfs", lambda _: read_only)
    assert re.search(r"mounted read-only.*nothing was touched. Fix: .*dmesg", refusal(stopped))


def test_a_store_that_is_gone_is_told_and_no_empty_one_takes_its_place(stopped: Kiosk) -> None:
    for path in stopped.state_dir.glob("queue.db*"):
        path.unlink()
    assert re.search(r"queue.db: gone from .*nothing was made. Fix: ./run queue salvage", refusal(stopped))
    assert not list(stopped.state_dir.glob("queue.db*"))


@pytest.mark.parametrize("state_dir", ["elsewhere", "config.toml"])
def test_a_wrong_state_folder_is_told_and_none_is_made(tmp_path: Path, state_dir: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[kiosk]\nstate_dir = "{state_dir}"\n')
    with pytest.raises(OutboxUnavailable, match=r"no outbox yet in .*Fix: ./run start, or give .*--config"):
        main(["status", "--config", str(config)])
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_a_second_process_on_the_file_is_told_who_holds_it(stopped: Kiosk) -> None:
    with opened(stopped.state_dir):
        assert f"held by process {os.getpid()}" in refusal(stopped)


def test_an_outbox_of_another_hotel_is_told(stopped: Kiosk) -> None:
    stopped.config.write_text('[kiosk]\nstate_dir = "var"\nhotel_code = "3101001111"\n')
    assert "belongs to hotel 3101009999" in refusal(stopped)


def test_an_error_under_json_is_one_object_and_exit_status_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[kiosk]\nstate_dir = "var"\n')
    assert cli.run(["queue", "status", "--json", "--config", str(config)]) == 1
    told = capsys.readouterr()
    assert "no outbox yet" in json.loads(told.out.splitlines()[-1])["error"]
    assert "no outbox yet" in told.err


def test_settings_that_are_wrong_are_told_under_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[kiosk]\nhotel_code = 7\n")
    assert cli.run(["queue", "verify", "--json", "--config", str(config)]) == 1
    assert "hotel_code" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_says_what_it_does_and_gives_an_example(verb: object, capsys: pytest.CaptureFixture[str]) -> None:
    name = verb.name  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    told = capsys.readouterr().out
    assert end.value.code == 0
    assert re.search(rf"^example:\n  \./run queue {name}", told, re.MULTILINE)
    assert len(verb.tells.split()) >= 12  # type: ignore[attr-defined]


def test_every_verb_of_the_issue_is_there() -> None:
    wanted = {"status", "list", "show", "retry", "export", "purge", "verify", "salvage", "rotate-keys"}
    assert {verb.name for verb in VERBS} >= wanted


def test_reading_makes_no_audit_where_none_is(stopped: Kiosk) -> None:
    (stopped.state_dir / "audit.jsonl").unlink()
    for words in (["status"], ["list"], ["show", stopped.waiting], ["verify"]):
        stopped.asked(*words)
    assert not (stopped.state_dir / "audit.jsonl").exists()


def test_the_owner_is_closed_again_after_each_question(stopped: Kiosk) -> None:
    for _ in range(3):
        assert stopped.asked("status") == 0
    config = load(stopped.config)
    section = config.kiosk
    owner = OutboxOwner.open(section.state_dir, section.hotel_code, section.kiosk_id, config.outbox)
    owner.close()
