"""The sandbox's e-ID QR, taken apart by hand: each fault breaks the one thing it is named for."""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import base45
import cbor2
import cv2
import numpy as np
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.sandbox import credential_command, portraits
from kiosk.sandbox.credentials import FAULTS, KIDS, Issuer
from kiosk.sandbox.people import ASTRONAUT, HOPPER, PEOPLE
from kiosk.weights import cache

ZHOU, QIAN = PEOPLE["zhou"], PEOPLE["qian"]


@dataclass(frozen=True)
class Opened:
    algorithm: int
    kid: str
    genuine: bool
    claims: dict[int, Any]


def open_code(payload: bytes, keys: Path) -> Opened:
    protected, _, claims, signature = cbor2.loads(zlib.decompress(base45.b45decode(payload))).value
    header = cbor2.loads(protected)
    kid = header[4].decode()
    pinned = json.loads((keys / f"{kid}.json").read_text(encoding="utf-8"))
    key = load_pem_public_key(pinned["publicKeyPem"].encode())
    message = cbor2.dumps(["Signature1", protected, b"", claims])
    assert len(signature) == 64
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
        else:
            assert isinstance(key, EllipticCurvePublicKey)
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(encode_dss_signature(r, s), message, ECDSA(hashes.SHA256()))
        genuine = True
    except InvalidSignature:
        genuine = False
    return Opened(header[1], kid, genuine, cbor2.loads(claims))


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    made = Issuer.new()
    made.write_public_keys(tmp_path)
    return made


@pytest.mark.parametrize(("person", "algorithm"), [(ZHOU, -8), (QIAN, -7)])
def test_a_genuine_code_says_who_it_is_and_is_signed_by_the_pinned_key(
    issuer: Issuer, tmp_path: Path, person: Any, algorithm: int
) -> None:
    opened = open_code(issuer.issue(person, None), tmp_path)
    assert opened.genuine
    assert (opened.algorithm, opened.kid) == (algorithm, KIDS[person.algorithm])
    pinned = json.loads((tmp_path / f"{opened.kid}.json").read_text(encoding="utf-8"))
    assert pinned["sandbox"] is True
    assert opened.claims[1] == pinned["issuer"]
    assert opened.claims[5] < time.time() < opened.claims[4]
    identity = opened.claims[169]
    assert (identity[1], identity[4]) == (person.id_number, person.name)
    assert identity[8] == person.birth_date.strftime("%Y%m%d")


def test_the_alphabet_is_that_of_a_qr_code_in_alphanumeric_mode(issuer: Issuer) -> None:
    assert set(issuer.issue(ZHOU, b"x").decode()) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@pytest.mark.parametrize("fault", ["forged", "altered", "unknown_algorithm"])
def test_signature_faults(issuer: Issuer, tmp_path: Path, fault: str) -> None:
    opened = open_code(issuer.issue(ZHOU, None, fault), tmp_path)
    allowed = opened.algorithm in {-7, -8}
    assert opened.genuine is (fault == "unknown_algorithm")
    assert allowed is (fault != "unknown_algorithm")
    assert (opened.claims[169][4] != ZHOU.name) is (fault == "altered")


def test_claims_faults_are_signed_by_the_pinned_key(issuer: Issuer, tmp_path: Path) -> None:
    now = time.time()
    opened = {fault: open_code(issuer.issue(ZHOU, None, fault), tmp_path) for fault in FAULTS if fault != "bomb"}
    assert all(opened[fault].genuine for fault in ("wrong_issuer", "expired", "not_yet_valid"))
    assert opened["wrong_issuer"].claims[1] != opened["expired"].claims[1]
    assert opened["expired"].claims[4] < now
    assert opened["not_yet_valid"].claims[5] > now + 3600


def test_a_bomb_is_small_on_paper_and_large_inside(issuer: Issuer) -> None:
    payload = issuer.issue(ZHOU, None, "bomb")
    assert len(payload) < 1300
    assert len(zlib.decompress(base45.b45decode(payload))) > 500_000


def test_an_unknown_fault_is_refused(issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="forged"):
        issuer.issue(ZHOU, None, "smudged")


def test_keys_are_made_anew(issuer: Issuer, tmp_path: Path) -> None:
    assert not open_code(Issuer.new().issue(ZHOU, None), tmp_path).genuine


@pytest.mark.parametrize("photo", [ASTRONAUT, HOPPER])
def test_portraits_fit_where_they_go(photo: str) -> None:
    jpeg, webp = portraits.gateway_jpeg(photo), portraits.code_webp(photo)
    large = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_COLOR)
    assert large is not None
    assert small is not None
    assert large.shape[1] >= 240
    assert len(jpeg) <= 30_000
    assert small.shape[:2] == (75, 60)
    assert len(webp) <= 560


@pytest.mark.parametrize("photo", [ASTRONAUT, HOPPER])
def test_the_hand_measured_boxes_hold_the_face(photo: str) -> None:
    picture = cv2.imread(str(cache.path(photo)), cv2.IMREAD_COLOR)
    assert picture is not None
    detector = cv2.FaceDetectorYN.create(str(cache.path("yunet")), "", picture.shape[1::-1], 0.6)
    _, faces = detector.detect(picture)
    x, y, width, height = max(faces, key=lambda face: face[2])[:4]
    for boxes in (portraits.GATEWAY_BOXES, portraits.CODE_BOXES):
        left, top, box_width, box_height = boxes[photo]
        assert left <= x
        assert top <= y
        assert x + width <= left + box_width
        assert y + height <= top + box_height


def test_an_eid_with_its_portrait_stays_readable_by_a_camera(issuer: Issuer) -> None:
    assert len(issuer.issue(ZHOU, portraits.code_webp(HOPPER))) <= 1200


def test_command_draws_a_code_and_leaves_the_key_that_verifies_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zxingcpp

    out = tmp_path / "zhou.png"
    assert credential_command.main(["issue", "claim169", "zhou", "--out", str(out)]) == 0
    (code,) = zxingcpp.read_barcodes(cv2.imread(str(out)))
    opened = open_code(code.bytes, tmp_path / "zhou.issuer")
    assert opened.genuine
    assert opened.claims[169][4] == ZHOU.name
    told = capsys.readouterr().out
    assert "throw-away issuer" in told
    assert ZHOU.name not in told
    assert ZHOU.id_number not in told


@pytest.mark.parametrize(
    "argv",
    [
        ["issue", "suishen", "lin", "--out", "lin.png"],
        ["issue", "claim169", "zhou", "--out", "zhou.jpg"],
        ["issue", "claim169", "nobody", "--out", "x.png"],
        ["issue", "claim169", "zhou", "--out", "x.png", "--fault", "smudged"],
    ],
)
def test_command_refuses_what_cannot_work(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        credential_command.main(argv)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err
