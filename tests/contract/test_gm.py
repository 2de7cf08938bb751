"""A kiosk with the Chinese algorithms: sealed by SM4-GCM, signed by SM2 over SM3, taken in by the authority."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.config import OutboxSection, load
from kiosk.errors import ConfigError
from kiosk.sandbox.info import DEVICE_ID
from kiosk.sandbox.process import SandboxProcess
from kiosk.sandbox.receiver import FILES, SM2
from kiosk.sm2 import Sm2PrivateKey
from offline_queue.clock import SystemClock
from offline_queue.crypto.device_key import Sm2Key
from offline_queue.crypto.suites import gm
from offline_queue.endpoints.signing import RequestSigner
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, ledger
from tests.outbox_kit import claim, event, opened, raw, registration
from tests.sandbox_kit import Device

pytestmark = pytest.mark.timeout(60)
CHINESE = OutboxSection(suite="gm")


@contextmanager
def gm_delivery(sandbox: SandboxProcess, folder: Path, settings: OutboxSection = CHINESE) -> Iterator[Delivery]:
    with opened(folder, settings=settings) as owner:
        made = Delivery(owner, sandbox, device_key_file=sandbox.info.device_sm2_key_file)
        made.sync.start()
        try:
            yield made
        finally:
            made.sync.stop()


def test_a_record_is_sealed_signed_and_receipted_with_chinese_algorithms_alone(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    with gm_delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
        kept = event(line.owner, record_id)
    assert ledger(sandbox, record_id)[0]["content_hash"] == kept.content_hash.hex()
    assert raw(tmp_path).execute("SELECT DISTINCT suite FROM data_key").fetchall() == [("gm",)]


def test_a_guest_sealed_by_sm2_goes_with_it(sandbox: SandboxProcess, tmp_path: Path) -> None:
    settings = OutboxSection(suite="gm", recipient_key_file=sandbox.info.recipients_dir / FILES[SM2])
    with gm_delivery(sandbox, tmp_path, settings) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)


def test_the_hash_on_the_wire_stays_the_protocols(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path, settings=CHINESE) as owner:
        owner.outbox.put(put)
        assert event(owner, put.record_id).content_hash == hashlib.sha256(put.text).digest()


def test_what_waits_opens_after_a_change_of_suite_either_way(tmp_path: Path) -> None:
    old, new = registration(), registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(old)
    with opened(tmp_path, settings=CHINESE) as owner:
        owner.outbox.put(new)
        assert owner.outbox.open_text(old.record_id, 1) == old.text
    with opened(tmp_path) as owner:
        assert {item.text for item in claim(owner)} == {old.text, new.text}


# ---- the authority checks an SM2 signature ---------------------------------------------------------------------------


@pytest.fixture
def chinese(sandbox: SandboxProcess) -> Iterator[Device]:
    device = Device(sandbox.info)
    device.signer = RequestSigner.load(DEVICE_ID, sandbox.info.device_sm2_key_file)
    with device.session:
        yield device


def test_a_request_signed_by_sm2_is_let_in(chinese: Device) -> None:
    chinese.log_in()
    assert chinese.ask("GET", "/v1/limits").status_code == 200


def test_a_signature_of_another_sm2_key_is_not(chinese: Device) -> None:
    chinese.signer = replace(chinese.signer, key=Sm2Key(Sm2PrivateKey.generate()))
    answer = chinese.ask("POST", "/v1/token", {"deviceId": DEVICE_ID})
    assert (answer.status_code, answer.json()["code"]) == (401, "E101")


def test_a_body_altered_on_its_way_is_not(chinese: Device) -> None:
    body = json.dumps({"deviceId": DEVICE_ID}).encode()
    headers = chinese.signer.headers("POST", "/v1/token", body, SystemClock().wall())
    answer = chinese.session.post(chinese.url + "/v1/token", data=body + b" ", headers=headers, timeout=10)
    assert answer.status_code == 401


def test_a_body_named_by_sha256_is_not(chinese: Device) -> None:
    """Each key has its own hash: a weaker one cannot be asked for."""
    body, stamp, nonce = json.dumps({"deviceId": DEVICE_ID}).encode(), str(int(SystemClock().wall())), "0" * 32
    told = "\n".join(("POST", "/v1/token", stamp, nonce, hashlib.sha256(body).hexdigest())).encode()
    headers = {"X-Device-Id": DEVICE_ID, "X-Timestamp": stamp, "X-Nonce": nonce}
    headers["X-Signature"] = base64.b64encode(chinese.signer.key.sign(told)).decode()
    assert chinese.session.post(chinese.url + "/v1/token", data=body, headers=headers, timeout=10).status_code == 401
    told = "\n".join(("POST", "/v1/token", stamp, nonce, gm.digest(body).hex())).encode()
    headers["X-Signature"] = base64.b64encode(chinese.signer.key.sign(told)).decode()
    assert chinese.session.post(chinese.url + "/v1/token", data=body, headers=headers, timeout=10).status_code == 200


# ---- settings --------------------------------------------------------------------------------------------------------


def test_chinese_algorithms_with_another_kind_of_device_key_are_refused_before_the_start(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    for key_file, refused in ((sandbox.info.device_key_file, True), (sandbox.info.device_sm2_key_file, False)):
        file.write_text(f'[outbox]\nsuite = "gm"\n[reporting]\ndevice_key_file = "{key_file}"\n')
        if refused:
            with pytest.raises(ConfigError, match="SM2"):
                load(file)
        else:
            assert load(file).outbox.suite == "gm"
