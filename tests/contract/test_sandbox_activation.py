"""A new kiosk becomes known: an installer's code, good once, and the device's own key bring it a certificate."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from kiosk.sandbox import pki
from kiosk.sandbox.process import SandboxProcess
from kiosk.sm2 import Sm2PrivateKey
from offline_queue.endpoints.signing import RequestSigner
from tests.sandbox_kit import Device, item, sample_record

pytestmark = pytest.mark.timeout(60)


class Newcomer:
    """A kiosk that nobody knows: it has a key, and no certificate."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.key_file = folder / "new.key"
        pki.write_private_key(self.key_file, self.key)

    def ask(self, code: str, *, off_s: float = 0, **more: Any) -> requests.Response:
        """Post an activation, signed with the key that it brings (or, as ``key_file``, another)."""
        signer = RequestSigner.load("new", more.pop("key_file", self.key_file))
        told = {"installerCode": code, "devicePublicKey": pki.public_pem(self.key.public_key())} | more
        body = json.dumps(told).encode()
        headers = signer.headers("POST", "/v1/activate", body, time.time() + off_s)
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(self.sandbox.info.ca_file)
            url = f"{self.sandbox.info.activation_url}/v1/activate"
            return session.post(url, data=body, headers=headers, timeout=5)

    def tls_key(self) -> tuple[str, Path]:
        """Make a TLS key of its own and return the request for its certificate."""
        key, key_file = ec.generate_private_key(ec.SECP256R1()), self.folder / "tls.key"
        pki.write_private_key(key_file, key)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "new")])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        return csr.public_bytes(serialization.Encoding.PEM).decode(), key_file

    def device(self, answer: dict[str, Any], tls_key_file: Path) -> Device:
        """Return the kiosk as it reports from now on."""
        certificate = self.folder / "new.pem"
        certificate.write_text(answer["clientCertificate"], encoding="ascii")
        device = Device(self.sandbox.info)
        device.session.cert = (str(certificate), str(tls_key_file))
        device.signer = RequestSigner.load(answer["deviceId"], self.key_file)
        device.log_in()
        return device


@pytest.fixture
def newcomer(sandbox: SandboxProcess, tmp_path: Path) -> Newcomer:
    return Newcomer(sandbox, tmp_path)


def test_an_activated_kiosk_reports_with_its_own_certificate(newcomer: Newcomer, sandbox: SandboxProcess) -> None:
    answer = newcomer.ask(sandbox.installer_code())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["profile"]["hotelCode"], "1208" in told["profile"]["rooms"]) == ("3101009999", True)
    assert told["caCertificate"] == sandbox.info.ca_file.read_text(encoding="ascii")
    assert told["receiptKey"] == sandbox.info.receipt_key_file.read_text(encoding="ascii")
    device = newcomer.device(told, newcomer.key_file)
    with device.session:
        (result,) = device.report(item(sample_record()))
    assert result["receiptNo"]
    batch = sandbox.ledger().batches[-1]
    assert batch.device == told["deviceId"] != "demo-01"


def test_a_tls_key_of_its_own_gets_the_certificate(newcomer: Newcomer, sandbox: SandboxProcess) -> None:
    csr, key_file = newcomer.tls_key()
    told = newcomer.ask(sandbox.installer_code(), csr=csr).json()
    with newcomer.device(told, key_file).session as session:
        assert session.get(f"{sandbox.info.police_url}/v1/health", timeout=5).status_code == 200
    assert newcomer.ask(sandbox.installer_code(), csr="no csr").json()["code"] == "E400"


def test_a_device_with_an_sm2_key_is_activated_too(newcomer: Newcomer, sandbox: SandboxProcess) -> None:
    key = Sm2PrivateKey.generate()
    key_file = newcomer.key_file
    key_file.write_bytes(key.to_pem())
    public = key.public_key().to_pem().decode()
    lacking = newcomer.ask(sandbox.installer_code(), devicePublicKey=public)
    assert (lacking.status_code, "csr" in lacking.json()["error"]) == (400, True)
    csr, tls_key_file = newcomer.tls_key()
    told = newcomer.ask(sandbox.installer_code(), devicePublicKey=public, csr=csr).json()
    device = newcomer.device(told, tls_key_file)
    with device.session:
        assert device.token


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"devicePublicKey": "no key"}, 400, "E400"),
        ({"off_s": 4000}, 401, "E107"),
        ({"devicePublicKey": pki.public_pem(ed25519.Ed25519PrivateKey.generate().public_key())}, 401, "E101"),
    ],
)
def test_a_request_that_is_wrong_uses_no_code_up(
    newcomer: Newcomer, sandbox: SandboxProcess, wrong: dict[str, Any], status: int, code: str
) -> None:
    installer_code = sandbox.installer_code()
    refused = newcomer.ask(installer_code, **wrong)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert newcomer.ask(installer_code).status_code == 200


def test_a_code_is_good_once_and_cannot_be_guessed(tmp_path: Path) -> None:
    with SandboxProcess(latency_ms=0) as sandbox:
        newcomer = Newcomer(sandbox, tmp_path)
        code = sandbox.installer_code()
        assert [newcomer.ask(code).status_code for _ in range(2)] == [200, 401]
        guesses = [newcomer.ask(secrets.token_hex(8)).status_code for _ in range(5)]
        assert guesses == [401, 401, 401, 401, 429]
        assert newcomer.ask(sandbox.installer_code()).json()["code"] == "E429"


def test_nothing_else_is_served_without_a_certificate(sandbox: SandboxProcess) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(sandbox.info.ca_file)
        assert session.get(f"{sandbox.info.activation_url}/v1/limits", timeout=5).status_code == 404
        with pytest.raises(requests.ConnectionError):
            session.get(f"{sandbox.info.police_url}/v1/health", timeout=5)
