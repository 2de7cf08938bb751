"""Where a new kiosk becomes known to the police endpoint, on a port of its own: it has no certificate yet.

POST /v1/activate   installerCode, devicePublicKey (PEM, Ed25519 or SM2), csr (PEM, for another TLS key)
                    → deviceId, certificates, keys of the endpoint, and the hotel's profile

The request is signed as every other, with the key that it brings; the code is good once and for an hour.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.sandbox import device_keys
from kiosk.sandbox.info import DEVICE_ID
from kiosk.sandbox.messages import NOT_HERE, Answer, BadRequest, Request
from kiosk.sandbox.people import ROOMS
from kiosk.sandbox.pki import DeviceAuthority
from kiosk.sandbox.police_auth import Doorkeeper
from kiosk.sandbox.police_tables import VERSION

CODE_S = 3600.0
"""How long an installer's code is good."""
WRONG_TRIES, WRONG_S = 5, 60.0
"""So many wrong codes within this time, and nobody is let in until it has passed."""
PROFILE: Mapping[str, object] = {
    "hotelCode": "3101009999",
    "hotelName": "随住样板酒店",
    "policeStation": "310100990000",
    "timezone": "Asia/Shanghai",
    "rooms": list(ROOMS),
    "schemaVersion": VERSION,
}


class Activation:
    """Gives device ids and certificates out. Called from every connection's thread."""

    name = "activation"

    def __init__(self, door: Doorkeeper, authority: DeviceAuthority, ca_file: Path, receipt_key_file: Path) -> None:
        self._door, self._authority = door, authority
        self._given = {"caCertificate": ca_file, "receiptKey": receipt_key_file}
        self._lock = threading.Lock()
        self._codes: dict[str, float] = {}
        self._wrong: deque[float] = deque()
        self._count = int(DEVICE_ID.rpartition("-")[2])

    def new_code(self) -> str:
        """Return a fresh code for an installer."""
        code = "-".join(f"{secrets.randbelow(10**4):04d}" for _ in range(4))
        with self._lock:
            self._codes[code] = time.monotonic() + CODE_S
        return code

    def answer(self, request: Request) -> Answer:
        """Carry out one call. Raises BadRequest."""
        if (request.method, request.path) != ("POST", "/v1/activate"):
            return NOT_HERE
        code, pem = request.texts("installerCode", "devicePublicKey")
        try:
            key = device_keys.read(pem.encode())
        except ValueError as exc:
            raise BadRequest(str(exc)) from exc
        self._door.check_proof("activation", (key,), request)
        tls_key = _tls_key(request.json(), key)
        device = self._use(code)
        self._door.admit(device, key)
        files = {name: path.read_text(encoding="ascii") for name, path in self._given.items()}
        certificate = self._authority.issue(device, tls_key)
        return Answer(200, {"deviceId": device, "clientCertificate": certificate, **files, "profile": PROFILE})

    def _use(self, code: str) -> str:
        """Use a code up and return the new device's id. Raises BadRequest."""
        now = time.monotonic()
        with self._lock:
            while self._wrong and self._wrong[0] <= now - WRONG_S:
                self._wrong.popleft()
            if len(self._wrong) >= WRONG_TRIES:
                raise BadRequest("too many wrong codes; wait a minute", "E429", 429)
            if self._codes.pop(code, 0.0) <= now:
                self._wrong.append(now)
                raise BadRequest("installer code is unknown, used or too old", "E101", 401)
            self._count += 1
            return f"{DEVICE_ID.rpartition('-')[0]}-{self._count:02d}"


def _tls_key(body: Mapping[str, Any], device_key: device_keys.PublicKey) -> Ed25519PublicKey | EllipticCurvePublicKey:
    """Return the key that the certificate is for: the request's own, or the device's. Raises BadRequest."""
    if "csr" in body:
        try:
            asked = x509.load_pem_x509_csr(str(body["csr"]).encode())
            key = asked.public_key()
            if asked.is_signature_valid and isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey):
                return key
        except ValueError:
            pass
        raise BadRequest("csr is not one of an elliptic key, signed by it")
    if not isinstance(device_key, Ed25519PublicKey):
        raise BadRequest("a device with an SM2 key wants a csr for its TLS key")
    return device_key
