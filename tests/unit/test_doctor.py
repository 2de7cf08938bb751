"""The doctor on this machine: every check on the real thing, in a folder of the test's own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
import pytest

from kiosk.commissioning import doctor
from kiosk.commissioning.checks import clock, devices, disk, outbox, screen, staff
from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.config import CameraSection, Config, KeyEncoderSection, KioskSection, StaffSection
from kiosk.staff.operators import FLOOR
from offline_queue import keys
from offline_queue.answering.control import ControlServer
from offline_queue.owner import KEY_FILE, SOCKET_FILE
from tests import outbox_kit

NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(kiosk=KioskSection(state_dir=tmp_path / "state"))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only one on PATH, for programs of the test's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put_program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def one(findings: list[Finding], name: str) -> Finding:
    (found,) = (finding for finding in findings if finding.name == name)
    return found


# -- the command


def write(tmp_path: Path, text: str = "") -> Path:
    file = tmp_path / "config.toml"
    file.write_text('[kiosk]\nstate_dir = "state"\n' + text)
    return file


@pytest.mark.timeout(60)
def test_a_demo_machine_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor.main(["--config", str(write(tmp_path)), "--json"])
    out = capsys.readouterr().out
    told = json.loads(out.splitlines()[-1])
    failed = [finding for finding in told["findings"] if finding["result"] == "fail"]
    assert (status, told["ok"], failed) == (0, True, [])
    assert told["capabilities"] == {"codes": True, "face": True, "online": True, "keys": True, "records": True}
    assert "guests are offered: codes yes, face yes, online yes, keys yes" in out
    names = {finding["name"] for finding in told["findings"]}
    assert names >= {"settings", "camera", "key encoder", "models", "fonts", "staff PIN", "clock", "disk space"}
    assert names >= {"outbox", "stored faces", "police endpoint", "identity gateway", "hotel system"}
    assert not (tmp_path / "state").exists()


@pytest.mark.timeout(60)
def test_without_models_the_doctor_fails_and_offers_no_face(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUIZHU_CACHE", str(tmp_path / "empty"))
    assert doctor.main(["--config", str(write(tmp_path)), "--json"]) == 1
    out = capsys.readouterr().out
    told = json.loads(out.splitlines()[-1])
    assert told["ok"] is False
    assert told["capabilities"]["face"] is False
    assert told["capabilities"]["codes"] is True
    assert "→ ./run models install" in out


def test_settings_at_fault_are_told_and_nothing_is_offered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--config", str(write(tmp_path, "[screen]\nidle_s = 1\n[faec]\n")), "--json"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [finding["name"] for finding in told["findings"]] == ["settings", "settings"]
    assert set(told["capabilities"].values()) == {False}


@pytest.mark.timeout(60)
def test_a_check_that_breaks_is_a_finding_and_the_others_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(config: Config, *, kiosk_runs: bool) -> Finding:
        raise ZeroDivisionError

    monkeypatch.setattr(devices, "camera", buggy)
    findings = list(doctor.examine(write(tmp_path)))
    camera = one(findings, "camera")
    assert (camera.result, camera.capability) == (Result.FAIL, Capability.CODES)
    assert one(findings, "models").result is Result.OK


def test_text_is_aligned_and_wrapped() -> None:
    lines = doctor.told(Finding("camera", Result.FAIL, "word " * 40, "look")).splitlines()
    assert lines[0].startswith("fail     camera ")
    assert max(map(len, lines)) <= doctor.WIDTH
    assert {line.index(line.strip()[0]) for line in lines[1:]} == {lines[0].index("word")}
    assert lines[-1].endswith("→ look")


# -- devices


def test_a_camera_that_is_not_there_takes_the_codes(config: Config) -> None:
    plugged_out = config.model_copy(update={"camera": CameraSection(driver="v4l2", device="/dev/no-camera")})
    found = devices.camera(plugged_out, kiosk_runs=False)
    assert (found.result, found.capability) == (Result.FAIL, Capability.CODES)
    assert found.next_step


def test_the_camera_of_a_running_kiosk_is_left_alone(config: Config) -> None:
    found = devices.camera(config, kiosk_runs=True)
    assert (found.result, found.capability) == (Result.SKIPPED, None)


def test_the_demos_scene_is_left_alone(config: Config, tmp_path: Path) -> None:
    scene = tmp_path / "scene.sock"
    simulated = config.model_copy(update={"camera": CameraSection(scene_socket=scene)})
    assert devices.camera(simulated, kiosk_runs=False).result is Result.OK
    assert not scene.exists()


def test_a_key_encoder_without_a_driver_takes_the_keys(config: Config) -> None:
    found = devices.key_encoder(config.model_copy(update={"key_encoder": KeyEncoderSection(driver="dormakaba")}))
    assert (found.result, found.capability) == (Result.FAIL, Capability.KEYS)


# -- clock


@pytest.mark.parametrize(
    ("now", "result"),
    [
        (NOON, Result.OK),
        (datetime(1970, 1, 1, tzinfo=UTC), Result.FAIL),
        (datetime(2099, 1, 1, tzinfo=UTC), Result.FAIL),
    ],
)
def test_a_clock_without_a_battery_is_seen(config: Config, now: datetime, result: Result) -> None:
    assert clock.year(config, now).result is result


def test_the_clock_is_told_in_hotel_time(config: Config) -> None:
    assert clock.year(config, NOON).meaning == "2026-06-01 12:00 in Asia/Shanghai"


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("echo yes", Result.OK),
        ("echo no", Result.WARN),
        ("echo no bus >&2; exit 1", Result.SKIPPED),
        ("exec /bin/sleep 30", Result.SKIPPED),
    ],
)
@pytest.mark.timeout(20)
def test_the_system_is_asked_about_its_time_server(programs: Path, script: str, result: Result) -> None:
    put_program(programs, "timedatectl", script)
    assert clock.synchronised().result is result


def test_a_system_that_cannot_be_asked_is_skipped(programs: Path) -> None:
    assert clock.synchronised().result is Result.SKIPPED


@pytest.mark.parametrize(
    ("off_s", "result"),
    [
        (0, Result.OK),
        (-59, Result.OK),
        (61, Result.WARN),
        (-299, Result.WARN),
        (301, Result.FAIL),
        (-4000, Result.FAIL),
    ],
)
def test_the_clock_is_compared_with_the_servers(off_s: int, result: Result) -> None:
    found = clock.against("police endpoint", NOON, NOON + timedelta(seconds=off_s))
    assert found.result is result
    assert bool(found.next_step) == (result is not Result.OK)


def test_a_server_that_tells_no_time_is_no_fault() -> None:
    assert clock.against("servers", None, NOON).result is Result.SKIPPED


# -- disk


def test_a_folder_of_the_first_start_is_not_made_by_the_doctor(config: Config) -> None:
    assert {found.result for found in disk.findings(config)} <= {Result.OK, Result.WARN}
    assert not config.kiosk.state_dir.exists()


def test_a_state_folder_that_others_read_is_told(config: Config) -> None:
    config.kiosk.state_dir.mkdir()
    config.kiosk.state_dir.chmod(0o755)
    assert one(disk.findings(config), "disk writes").next_step.startswith("chmod 700")
    config.kiosk.state_dir.chmod(0o700)
    assert one(disk.findings(config), "disk writes").result is Result.OK
    assert list(config.kiosk.state_dir.iterdir()) == []


def test_a_state_folder_that_is_a_file_fails(config: Config) -> None:
    config.kiosk.state_dir.write_text("")
    assert one(disk.findings(config), "disk writes").result is Result.FAIL


def test_a_disk_that_takes_nothing_fails() -> None:
    proc = Config(kiosk=KioskSection(state_dir=Path("/proc/suizhu")))  # not even root may write there
    assert one(disk.findings(proc), "disk writes").result is Result.FAIL


@pytest.mark.parametrize(
    ("left_mb", "result"), [(600, Result.OK), (499, Result.WARN), (199, Result.FAIL), (0, Result.FAIL)]
)
def test_a_disk_that_is_nearly_full_is_told(
    config: Config, monkeypatch: pytest.MonkeyPatch, left_mb: int, result: Result
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda place: left_mb << 20)
    assert one(disk.findings(config), "disk space").result is result


# -- outbox


def put(config: Config, hours_ago: float = 0.0, *, rejected: bool = False) -> None:
    with outbox_kit.opened(config.kiosk.state_dir) as owner:
        then = datetime.now(UTC).astimezone(outbox_kit.SHANGHAI) - timedelta(hours=hours_ago)
        record = outbox_kit.registration(occurred_at=then)
        owner.outbox.put(record)
        if rejected:
            outbox_kit.reject(owner, record.record_id)


def test_before_the_first_start_there_is_no_outbox_and_none_is_made(config: Config) -> None:
    assert one(outbox.findings(config), "outbox").result is Result.OK
    assert not config.kiosk.state_dir.exists()


def test_a_stopped_kiosks_outbox_is_opened_and_counted(config: Config) -> None:
    put(config)
    findings = outbox.findings(config)
    assert one(findings, "outbox key").result is Result.OK
    assert "1 READY; the oldest unsent waits 0 min" in one(findings, "outbox").meaning
    assert "2 photos" in one(findings, "stored faces").meaning
    put(config)  # the doctor gave the store back


@pytest.mark.timeout(30)
def test_a_running_kiosk_is_asked_over_its_socket(config: Config) -> None:
    put(config)
    state_dir = config.kiosk.state_dir
    with closing(outbox_kit.open_owner(state_dir)) as owner:
        assert not outbox.kiosk_runs(config)
        control = ControlServer(owner, state_dir / SOCKET_FILE)
        control.start()
        try:
            assert outbox.kiosk_runs(config)
            assert "1 READY" in one(outbox.findings(config), "outbox").meaning
        finally:
            control.stop()
        held = one(outbox.findings(config), "outbox")
        assert (held.result, held.capability) == (Result.FAIL, Capability.RECORDS)
        assert str(os.getpid()) in held.meaning


def test_an_overdue_report_fails(config: Config) -> None:
    put(config, hours_ago=3)
    assert one(outbox.findings(config), "outbox").result is Result.FAIL


def test_a_report_that_is_half_due_warns(config: Config) -> None:
    put(config, hours_ago=0.6)
    assert one(outbox.findings(config), "outbox").result is Result.WARN


def test_a_rejected_record_waits_for_a_person(config: Config) -> None:
    put(config, rejected=True)
    found = one(outbox.findings(config), "outbox")
    assert (found.result, found.next_step) == (Result.WARN, "./run queue list")


@pytest.mark.parametrize("why", ["elsewhere", "cut off"])
def test_a_key_that_is_to_be_changed_is_told_with_the_command_that_does_it(config: Config, why: str) -> None:
    put(config)
    if why == "elsewhere":
        config = config.model_copy(update={"outbox": config.outbox.model_copy(update={"key_store": "tpm"})})
    else:
        keys.make(keys.successor_of(config.kiosk.state_dir / KEY_FILE))
    found = outbox.key(config)
    assert found.result is Result.WARN
    assert "rotate-keys" in found.next_step


def test_an_outbox_key_that_others_read_stops_everything(config: Config) -> None:
    put(config)
    (config.kiosk.state_dir / KEY_FILE).chmod(0o644)
    (found, *_) = outbox.findings(config)
    assert (found.result, found.capability) == (Result.FAIL, Capability.RECORDS)
    assert "chmod 600" in found.meaning


def test_no_finding_holds_a_guests_name(config: Config) -> None:
    put(config)
    assert outbox_kit.NAME not in repr(outbox.findings(config))
    assert outbox_kit.NUMBER not in repr(outbox.findings(config))


# -- fonts


@pytest.fixture
def no_font_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(screen, "FONT_FOLDERS", (tmp_path / "fonts",))
    return


def test_fonts_are_found_by_fontconfig(programs: Path, no_font_files: None) -> None:
    put_program(programs, "fc-list", '[ "$1" = :lang=zh-cn ] && echo "Noto Sans CJK SC"')
    assert screen.fonts().result is Result.OK


def test_missing_fonts_fail(programs: Path, no_font_files: None) -> None:
    assert screen.fonts().result is Result.FAIL
    put_program(programs, "fc-list", 'echo "DejaVu Sans"')
    assert screen.fonts().result is Result.FAIL


def test_fonts_are_found_by_their_files(programs: Path, tmp_path: Path, no_font_files: None) -> None:
    (tmp_path / "fonts" / "noto").mkdir(parents=True)
    (tmp_path / "fonts" / "noto" / "NotoSansCJK-Regular.ttc").touch()
    assert screen.fonts().result is Result.OK


# -- staff


def with_operators(config: Config, path: Path | None, mode: str = "demo") -> Config:
    kiosk = config.kiosk.model_copy(update={"mode": mode})
    return config.model_copy(update={"kiosk": kiosk, "staff": StaffSection(operators_file=path)})


def test_no_pin_is_for_the_demo_only(config: Config) -> None:
    assert staff.pin(with_operators(config, None)).result is Result.WARN
    assert staff.pin(with_operators(config, None, "production")).result is Result.FAIL


@pytest.mark.parametrize(
    ("role", "mode", "result"),
    [("clerk", 0o600, Result.OK), ("installer", 0o600, Result.FAIL), ("clerk", 0o644, Result.FAIL)],
)
def test_the_clerks_file_is_read(config: Config, tmp_path: Path, role: str, mode: int, result: Result) -> None:
    cheapest = argon2.PasswordHasher(time_cost=FLOOR.passes, memory_cost=FLOOR.memory_kib, parallelism=1)
    file = tmp_path / "operators.toml"
    file.write_text(f'[[operator]]\nname = "lan"\nrole = "{role}"\npin_hash = "{cheapest.hash("482913")}"\n')
    file.chmod(mode)
    found = staff.pin(with_operators(config, file))
    assert found.result is result
    assert "argon2" not in found.meaning


def test_a_broken_clerks_file_fails(config: Config, tmp_path: Path) -> None:
    (tmp_path / "operators.toml").write_text("nobody")
    assert staff.pin(with_operators(config, tmp_path / "operators.toml")).result is Result.FAIL


def test_the_doctor_is_quick_where_nothing_is_wrong(config: Config) -> None:
    began = time.monotonic()
    devices.camera(config, kiosk_runs=False)
    assert time.monotonic() - began < devices.FIRST_FRAME_S
