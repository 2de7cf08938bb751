"""Receipts of erasure on the command line: handed out, checked by anybody, and no half of a command erases."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kiosk.errors import ContractError, KioskError
from offline_queue import erasure
from offline_queue.commands.main import main
from tests.outbox_kit import NAME, NUMBER
from tests.unit.queue_kit import Kiosk, past_its_time, told

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=False)) as made:
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "device.pem").write_bytes(key)
        made.config.write_text('[kiosk]\nstate_dir = "var"\n[reporting]\ndevice_key_file = "device.pem"\n')
        yield made


def test_a_purge_is_audited_reported_and_receipted(
    stopped: Kiosk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    past_its_time(stopped)
    assert stopped.asked("purge") == 0
    assert "1 record erased, keys first" in capsys.readouterr().out
    assert len(stopped.audited("queue.purge")) == 1
    assert stopped.asked("purge", "--report", "--json") == 0
    days = told(capsys)["days"]
    assert [(day["records"], day["photos"]) for day in days] == [(0, 2), (1, 0)]
    assert stopped.asked("purge", "--report") == 0
    assert "  1 text, 0 photos" in capsys.readouterr().out
    assert stopped.asked("show", stopped.delivered) == 0
    assert "guest              erased" in capsys.readouterr().out
    assert stopped.asked("purge", "--receipt", stopped.delivered) == 0
    receipt = capsys.readouterr().out
    assert NAME not in receipt
    assert NUMBER not in receipt
    (tmp_path / "receipt.json").write_text(receipt)
    key = load_pem_private_key((tmp_path / "device.pem").read_bytes(), None).public_key()
    (tmp_path / "public.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    checking = ["purge", "--check", str(tmp_path / "receipt.json"), "--config", "/nowhere"]
    assert main([*checking, "--key", str(tmp_path / "public.pem")]) == 0
    assert f"record {stopped.delivered} revision 1: genuine" in capsys.readouterr().out
    assert main([*checking, "--key", str(tmp_path / "public.pem"), "--json"]) == 0
    assert told(capsys)["genuine"] is True
    assert main(checking) == 0
    words = capsys.readouterr().out
    assert "compare it with the one that the hotel publishes" in words
    assert "genuine" not in words, "anybody can sign with a key of their own"
    assert main([*checking, "--json"]) == 0
    assert told(capsys)["genuine"] is None


@pytest.mark.parametrize("hand", ["statement", "signature", "empty", "nonsense"])
def test_a_forged_receipt_is_told(
    stopped: Kiosk, capsys: pytest.CaptureFixture[str], tmp_path: Path, hand: str
) -> None:
    past_its_time(stopped)
    stopped.asked("purge")
    capsys.readouterr()
    stopped.asked("purge", "--receipt", stopped.delivered, "--json")
    document = told(capsys)
    match hand:
        case "statement":
            document["receipts"][0]["statement"] = document["receipts"][0]["statement"].replace("text", "none")
        case "signature":
            document["receipts"][0]["signature"] = "AAAA" + document["receipts"][0]["signature"][4:]
        case "empty":
            document["receipts"] = []
        case _:
            document["receipts"] = [7]
    forged = tmp_path / "receipt.json"
    forged.write_text(json.dumps(document))
    assert main(["purge", "--check", str(forged), "--json"]) == 1
    assert told(capsys)["genuine"] is False


def test_a_receipt_that_is_no_file_or_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(KioskError, match=r"No such file.*fix"):
        main(["purge", "--check", str(tmp_path / "gone")])
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(ContractError, match=r"no JSON; fix"):
        main(["purge", "--check", str(tmp_path / "x")])


@pytest.mark.parametrize(
    "words",
    [
        ["--case", "2026-117"],
        ["--key", "public.pem"],
        ["--hold", "", "--case", "2026-117"],
        ["--release", ""],
        ["--receipt", ""],
    ],
)
def test_half_a_command_erases_nothing(stopped: Kiosk, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    past_its_time(stopped)
    with pytest.raises(ContractError):
        stopped.asked("purge", *words)
    stopped.asked("purge", "--report", "--json")
    assert [day["records"] for day in told(capsys)["days"]] == [0]


def test_a_strangers_receipt_moves_no_cursor_of_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = Ed25519PrivateKey.generate()
    erased = [{"part": "\x1b[2Ktext", "at": "now\x9b1A"}, 7]
    statement = json.dumps({"kind": erasure.KIND, "recordId": "\r\x1b[1Agenuine", "revision": "\x07", "erased": erased})
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signature = base64.b64encode(key.sign(statement.encode())).decode()
    (tmp_path / "x").write_text(json.dumps({"statement": statement, "signature": signature, "publicKey": pem}))
    assert main(["purge", "--check", str(tmp_path / "x")]) == 0
    printed = capsys.readouterr().out
    assert "[2Ktext" in printed
    assert all(sign.isprintable() for line in printed.split("\n") for sign in line)
