"""Asking servers whether they are well, over real TLS, and what the doctor and the welcome screen make of it."""

from __future__ import annotations

import json
import queue
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.commissioning import doctor, health
from kiosk.commissioning.checks import endpoints
from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.commissioning.health import Health, Trouble
from kiosk.commissioning.reachability import LEAVE_S, Reachability
from kiosk.config import Config, GatewaySection, TlsFiles
from kiosk.embedded import pointed_at
from kiosk.sandbox import pki
from kiosk.sandbox.process import SandboxProcess

pytestmark = pytest.mark.timeout(60)

ASK_S = 3.0


@pytest.fixture
def config(sandbox: SandboxProcess, tmp_path: Path) -> Config:
    config = pointed_at(Config(), sandbox.info)
    return config.model_copy(update={"kiosk": config.kiosk.model_copy(update={"state_dir": tmp_path / "state"})})


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def ask(gateway: GatewaySection) -> Health | Trouble:
    return health.ask(gateway.url, gateway, ASK_S)


def trouble(answer: Health | Trouble) -> Trouble:
    assert isinstance(answer, Trouble)
    assert answer.fix
    return answer


def one(findings: list[Finding], name: str) -> Finding:
    (found,) = (finding for finding in findings if finding.name == name)
    return found


# -- one server


def test_a_server_that_is_well(config: Config) -> None:
    answer = ask(config.gateway)
    assert isinstance(answer, Health)
    assert answer.sandbox
    assert answer.server_time is not None
    assert abs((datetime.now(UTC) - answer.server_time).total_seconds()) < 5


def test_proxies_and_authorities_of_the_environment_are_not_used(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    assert isinstance(ask(config.gateway), Health)


def test_a_server_of_an_unknown_authority_is_told(config: Config, tmp_path: Path) -> None:
    other = pki.make(tmp_path / "other", "demo-01")
    found = trouble(ask(config.gateway.model_copy(update={"ca_file": other.ca_file})))
    assert "not trusted" in found.what
    assert "ca_file" in found.fix


def test_a_kiosk_without_a_certificate_is_told_what_to_name(config: Config) -> None:
    bare = config.gateway.model_copy(update={"client_cert_file": None, "client_key_file": None})
    assert "certificate" in trouble(ask(bare)).fix


def test_a_certificate_of_another_name_is_told(config: Config) -> None:
    elsewhere = config.gateway.model_copy(update={"url": config.gateway.url.replace("127.0.0.1", "127.0.0.2")})
    # The sandbox listens on one address only, so the name is wrong where a tunnel leads to it
    port = int(config.gateway.url.rpartition(":")[2])
    with Tunnel("127.0.0.2", port):
        assert "another name" in trouble(ask(elsewhere)).what


def test_certificates_that_are_none_are_told(config: Config, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    found = trouble(ask(config.gateway.model_copy(update={"ca_file": tmp_path / "ca.pem"})))
    assert "cannot be used" in found.what


@pytest.mark.parametrize(
    ("fault", "words"),
    [("gateway_error", "HTTP 500"), ("gateway_nonsense", "HTTP 200"), ("gateway_cut", "cannot be reached")],
)
def test_an_answer_that_was_not_agreed_is_told(config: Config, sandbox: SandboxProcess, fault: str, words: str) -> None:
    sandbox.fault(fault)
    assert words in trouble(ask(config.gateway)).what


def test_silence_ends_in_time(silent: int) -> None:
    began = time.monotonic()
    found = trouble(health.ask(f"https://127.0.0.1:{silent}", TlsFiles(), 0.3))
    assert "in time" in found.what
    assert time.monotonic() - began < 5


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "nothing listens" in trouble(health.ask(f"https://127.0.0.1:{port}", TlsFiles(), ASK_S)).what


def test_an_unknown_name_is_told() -> None:
    assert "name" in trouble(health.ask("https://gateway.sandbox.invalid", TlsFiles(), ASK_S)).what


class Tunnel:
    """Forwards one connection from another loopback address to the sandbox."""

    def __init__(self, address: str, port: int) -> None:
        self._listener = socket.create_server((address, port))
        self._port = port
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Tunnel:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.join()
        self._listener.close()

    def _carry(self) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection(("127.0.0.1", self._port))
        back = threading.Thread(target=self._pump, args=(far, near))
        back.start()
        self._pump(near, far)
        back.join()
        near.close()
        far.close()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while part := source.recv(65_536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


# -- the doctor


def test_all_servers_are_asked(config: Config) -> None:
    findings = endpoints.findings(config)
    for name in endpoints.NAMES.values():
        assert one(findings, name).result is Result.OK
    assert one(findings, "identity gateway").capability is Capability.ONLINE
    assert one(findings, "clock against the servers").result is Result.OK


def test_an_endpoint_that_is_down_fails_and_says_what_follows(config: Config, sandbox: SandboxProcess) -> None:
    sandbox.close_police()
    found = one(endpoints.findings(config), "police endpoint")
    assert found.result is Result.FAIL
    assert "records wait in the outbox" in found.meaning
    assert found.next_step


def test_a_production_kiosk_does_not_take_a_sandbox_for_the_police(config: Config) -> None:
    real = config.model_copy(update={"kiosk": config.kiosk.model_copy(update={"mode": "production"})})
    assert one(endpoints.findings(real), "police endpoint").result is Result.FAIL


def test_a_key_that_others_read_is_told(config: Config, sandbox: SandboxProcess, tmp_path: Path) -> None:
    key = Path(shutil.copy(sandbox.info.device_key_file, tmp_path / "device.key"))
    key.chmod(0o644)
    reporting = config.reporting.model_copy(update={"device_key_file": key})
    found = one(endpoints.findings(config.model_copy(update={"reporting": reporting})), "device key")
    assert (found.result, found.next_step[:9]) == (Result.WARN, "chmod 600")


def test_lists_of_receipts_that_nobody_can_verify_are_told(config: Config) -> None:
    reporting = config.reporting.model_copy(update={"receipts_key_file": None})
    found = one(endpoints.findings(config.model_copy(update={"reporting": reporting})), "receipts key")
    assert (found.result, "reporting.receipts_key_file" in found.next_step) == (Result.WARN, True)
    assert not any(finding.name == "receipts key" for finding in endpoints.findings(config))


def test_a_certificate_that_runs_out_is_told_before(config: Config) -> None:
    (found,) = endpoints.certificates("identity gateway", config.gateway)
    assert found.result is Result.WARN  # the sandbox's live for less than the days that are warned of
    assert "valid until" in found.meaning


def test_the_hotels_file_is_read_as_a_check_in_would(config: Config, sandbox: SandboxProcess, tmp_path: Path) -> None:
    def with_file(path: Path) -> Finding:
        hotel = config.reservations.model_copy(update={"driver": "csv", "csv_path": path, "url": ""})
        return one(endpoints.findings(config.model_copy(update={"reservations": hotel})), "hotel system")

    sandbox.issue_suishen("lin")
    assert with_file(sandbox.info.csv_path).result is Result.OK
    assert with_file(tmp_path / "gone.csv").result is Result.FAIL
    spoiled = tmp_path / "bookings.csv"
    spoiled.write_text(sandbox.info.csv_path.read_text(encoding="utf-8") + "1,2,3\n", encoding="utf-8")
    assert with_file(spoiled).result is Result.WARN


def test_the_doctor_loses_online_with_the_gateway(
    config: Config, sandbox: SandboxProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    info = sandbox.info
    tls = f'ca_file = "{info.ca_file}"\nclient_cert_file = "{info.client_cert_file}"\n'
    tls += f'client_key_file = "{info.client_key_file}"\n'
    (tmp_path / "config.toml").write_text(
        f'[gateway]\nurl = "{info.gateway_url}"\n{tls}[reservations]\nurl = "{info.hotel_url}"\n{tls}'
        f'[reporting]\nurl = "{info.police_url}"\n{tls}device_key_file = "{info.device_key_file}"\n'
    )
    arguments = ["--config", str(tmp_path / "config.toml"), "--json"]
    assert doctor.main(arguments) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["capabilities"]["online"] is True
    sandbox.fault("gateway_maintenance")
    assert doctor.main(arguments) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["capabilities"]["online"] is False


# -- the welcome screen


def test_the_gateway_is_watched_and_only_changes_are_told(config: Config, sandbox: SandboxProcess) -> None:
    told: queue.Queue[bool] = queue.Queue()
    watch = Reachability(config.gateway, told.put, every_s=0.05, again_s=0.05)
    watch.start()
    try:
        assert told.get(timeout=10) is True
        sandbox.fault("gateway_error")
        assert told.get(timeout=10) is False
        sandbox.clear_faults()
        assert told.get(timeout=10) is True
    finally:
        watch.stop()
    assert told.empty()


def test_watching_ends_within_a_second_while_a_question_is_under_way(config: Config, silent: int) -> None:
    told: list[bool] = []
    gateway = config.gateway.model_copy(update={"url": f"https://127.0.0.1:{silent}"})
    watch = Reachability(gateway, told.append)
    watch.start()
    time.sleep(0.2)
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began < LEAVE_S + 0.5
    assert told == []


def test_a_gateway_without_an_address_is_never_asked() -> None:
    watch = Reachability(GatewaySection(), lambda online: pytest.fail("it was asked"))
    watch.start()
    watch.stop()
    watch.stop()
