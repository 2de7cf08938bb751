"""The kiosk's key in a TPM 2.0, against the software TPM: the disk alone opens nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.commissioning.checks import outbox
from kiosk.commissioning.finding import Result
from kiosk.config import Config, KioskSection, OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue import keys
from offline_queue.crypto import rotation, tpm
from tests.outbox_kit import bytes_on_disk, claim, opened, registration

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not all(map(shutil.which, ("swtpm", "tpm2_create"))), reason="wants the packages swtpm and tpm2-tools"
    ),
]


class SoftwareTpm:
    """One TPM with its own seed, on a port of its own. A restart is the machine's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._port = _two_ports()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def tcti(self) -> str:
        return f"swtpm:host=127.0.0.1,port={self._port}"

    def start(self) -> None:
        where = "type=tcp,bindaddr=127.0.0.1,port="
        self._process = subprocess.Popen(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self._folder}"),
                *("--server", f"{where}{self._port}", "--ctrl", f"{where}{self._port + 1}"),
                *("--flags", "not-need-init,startup-clear"),
            ]
        )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with socket.socket() as probe:
                # The control port: the server's takes a probe for its one client
                if probe.connect_ex(("127.0.0.1", self._port + 1)) == 0:
                    return
            assert self._process.poll() is None, "swtpm ended"
            time.sleep(0.01)
        raise AssertionError("swtpm never listened")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def _two_ports() -> int:
    """Return a free port whose neighbour is free too: swtpm's tools look for its control channel there."""
    for _ in range(100):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no two free ports side by side")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[SoftwareTpm]:
    made = SoftwareTpm(tmp_path / "tpm")
    made.start()
    yield made
    made.stop()


def in_tpm(machine: SoftwareTpm) -> OutboxSection:
    return OutboxSection(key_store="tpm", tpm_tcti=machine.tcti)


def test_a_secret_comes_back_from_the_tpm_that_sealed_it(machine: SoftwareTpm) -> None:
    secret = os.urandom(32)
    blobs = tpm.seal(secret, machine.tcti)
    assert secret not in blobs.public + blobs.private
    for _ in range(5):  # more than it has room for: what a tool leaves loaded is freed
        assert tpm.unseal(blobs, machine.tcti) == secret
    machine.stop()
    machine.start()
    assert tpm.unseal(blobs, machine.tcti) == secret


def test_another_tpm_opens_nothing_and_says_so(machine: SoftwareTpm, tmp_path: Path) -> None:
    blobs = tpm.seal(b"k" * 32, machine.tcti)
    other = SoftwareTpm(tmp_path / "other")
    other.start()
    try:
        for _ in range(5):  # a try that fails leaves nothing behind that ends the next one otherwise
            with pytest.raises(OutboxUnavailable, match="another TPM"):
                tpm.unseal(blobs, other.tcti)
    finally:
        other.stop()


def test_altered_blobs_do_not_open(machine: SoftwareTpm) -> None:
    blobs = tpm.seal(b"k" * 32, machine.tcti)
    for at in (0, 40, len(blobs.private) - 1):
        private = blobs.private[:at] + bytes((blobs.private[at] ^ 1,)) + blobs.private[at + 1 :]
        with pytest.raises(OutboxUnavailable):
            tpm.unseal(tpm.Blobs(blobs.public, private), machine.tcti)
    with pytest.raises(OutboxUnavailable):
        tpm.unseal(tpm.Blobs(b"", b""), machine.tcti)


def test_a_tpm_that_is_gone_is_told_with_what_to_mend(machine: SoftwareTpm) -> None:
    blobs = tpm.seal(b"k" * 32, machine.tcti)
    machine.stop()
    with pytest.raises(OutboxUnavailable, match=r"no TPM answers.*tpm_tcti"):
        tpm.unseal(blobs, machine.tcti)


def test_missing_tools_are_told_with_the_package_to_install(
    machine: SoftwareTpm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutboxUnavailable, match=r"tpm2_\w+ is missing.*tpm2-tools"):
        tpm.seal(b"k", machine.tcti)


def test_a_tpm_that_hangs_does_not_hold_the_start_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "tpm2_flushcontext"
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(tpm, "TOOL_S", 0.2)
    with pytest.raises(OutboxUnavailable, match="did not answer"):
        tpm.seal(b"k", "device:/dev/null")


def test_the_doctor_tries_the_tpm_before_the_first_start(machine: SoftwareTpm, tmp_path: Path) -> None:
    kiosk = KioskSection(state_dir=tmp_path / "kiosk")
    config = Config(kiosk=kiosk, outbox=in_tpm(machine))
    assert [found.result for found in outbox.findings(config) if found.name == "TPM"] == [Result.OK]
    machine.stop()
    (found,) = (found for found in outbox.findings(config) if found.name == "TPM")
    assert (found.result, "no TPM answers" in found.meaning) == (Result.FAIL, True)
    assert not (tmp_path / "kiosk").exists()


# ---- the outbox ------------------------------------------------------------------------------------------------------


def test_the_key_is_nowhere_on_the_disk_and_the_outbox_opens_again(machine: SoftwareTpm, tmp_path: Path) -> None:
    put, folder = registration(), tmp_path / "kiosk"
    with opened(folder, settings=in_tpm(machine)) as owner:
        owner.outbox.put(put)
        secret = owner.vault.key.secret
    everything = bytes_on_disk(folder) + (folder / "queue.key").read_bytes()
    assert secret not in everything
    assert secret.hex().encode() not in everything
    assert (folder / "queue.key").stat().st_mode & 0o777 == 0o600
    with opened(folder, settings=in_tpm(machine)) as owner:
        assert [item.text for item in claim(owner)] == [put.text]


def test_a_stolen_disk_opens_in_no_other_machine_and_is_left_as_it_is(machine: SoftwareTpm, tmp_path: Path) -> None:
    folder, thief = tmp_path / "kiosk", SoftwareTpm(tmp_path / "thief")
    with opened(folder, settings=in_tpm(machine)) as owner:
        owner.outbox.put(registration())
    before = (folder / "queue.key").read_bytes()
    thief.start()
    try:
        with pytest.raises(OutboxUnavailable, match="another TPM"), opened(folder, settings=in_tpm(thief)):
            pass
    finally:
        thief.stop()
    assert (folder / "queue.key").read_bytes() == before


def test_a_first_start_without_a_tpm_makes_no_outbox(tmp_path: Path) -> None:
    settings = OutboxSection(key_store="tpm", tpm_tcti="swtpm:host=127.0.0.1,port=1")
    with pytest.raises(OutboxUnavailable, match="no TPM"), opened(tmp_path / "kiosk", settings=settings):
        pass
    assert not (tmp_path / "kiosk" / "queue.db").exists()
    assert list((tmp_path / "kiosk").glob("queue.key*")) == []


@pytest.mark.parametrize("there", ["tpm", "file"])
def test_a_change_of_the_key_moves_it_into_the_tpm_and_out_of_it(
    machine: SoftwareTpm, tmp_path: Path, there: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder, put = tmp_path / "kiosk", registration()
    before, after = OutboxSection(), in_tpm(machine)
    if there == "file":
        before, after = after, OutboxSection(tpm_tcti=machine.tcti)
    with opened(folder, settings=before) as owner:
        owner.outbox.put(put)
        old = owner.vault.key
    with opened(folder, settings=after) as owner:
        assert "rotate-keys" in caplog.text
        caplog.clear()
        done = rotation.rotate(owner)
        assert (done.kept_in, done.rewrapped) == (there, 3)
    assert old.secret.hex().encode() not in (folder / "queue.key").read_bytes()
    with opened(folder, settings=after) as owner:
        assert caplog.text == ""
        assert owner.vault.key.kept_in == there
        assert [item.text for item in claim(owner)] == [put.text]


def test_a_change_that_the_tpm_refuses_leaves_the_key_as_it_is(machine: SoftwareTpm, tmp_path: Path) -> None:
    folder, put = tmp_path / "kiosk", registration()
    with opened(folder) as owner:
        owner.outbox.put(put)
    machine.stop()
    with opened(folder, settings=in_tpm(machine)) as owner:
        with pytest.raises(OutboxUnavailable, match="no TPM"):
            rotation.rotate(owner)
        assert owner.outbox.open_text(put.record_id, 1) == put.text
    assert not keys.successor_of(folder / "queue.key").exists()


@pytest.mark.parametrize(
    "text", ["suizhu-kiosk-key-tpm-1 AAAA ?", "suizhu-kiosk-key-tpm-1 AAAA", "suizhu-kiosk-key-tpm-2 A A"]
)
def test_a_damaged_key_file_is_told(machine: SoftwareTpm, tmp_path: Path, text: str) -> None:
    path = tmp_path / "queue.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(OutboxUnavailable, match=r"queue\.key"):
        keys.load(path, machine.tcti)
