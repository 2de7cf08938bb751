"""Who asks the police endpoint: signature, nonce, clock, device and token of one request.

X-Device-Id, X-Timestamp, X-Nonce, X-Signature = Ed25519 over
    method \\n path with query \\n timestamp \\n nonce \\n hex(sha256(body))
or, for a device that is known by an SM2 key, its DER signature over the same with SM3 for the body.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from kiosk.sandbox import device_keys
from kiosk.sandbox.device_keys import PublicKey
from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.messages import BadRequest, Request

SKEW_S = 300
NONCE_S = 600.0
TOKEN_S = 3600.0
SHANGHAI = ZoneInfo("Asia/Shanghai")


def iso(moment: float) -> str:
    """Return Unix seconds as Shanghai time in ISO 8601."""
    return datetime.fromtimestamp(int(moment), UTC).astimezone(SHANGHAI).isoformat()


class Doorkeeper:
    """Lets known devices in. Called from every connection's thread."""

    def __init__(self, devices: Mapping[str, PublicKey | Sequence[PublicKey]], board: FaultBoard) -> None:
        """``devices``: who may report, each by one key or by any of several."""
        self._devices = {name: keys if isinstance(keys, Sequence) else (keys,) for name, keys in devices.items()}
        self._board = board
        self._lock = threading.Lock()
        self._nonces: dict[str, float] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    def now(self) -> float:
        """Return the endpoint's own time, Unix seconds; off while ``clock_skew`` is on the board."""
        skew = self._board.standing("police", "clock_skew")
        return time.time() + (skew.number("s", 600) if skew else 0.0)

    def device_of(self, request: Request) -> str:
        """Return which device signed this request. Raises BadRequest E101, E103 or E107."""
        device = request.headers.get("X-Device-Id", "")
        keys = self._devices.get(device)
        if keys is None or self._board.standing("police", "disable_device"):
            raise BadRequest("device is unknown or disabled", "E103", 403)
        self.check_proof(device, keys, request)
        return device

    def admit(self, device: str, key: PublicKey) -> None:
        """Know one more device, until the sandbox ends."""
        self._devices[device] = (key,)

    def check_proof(self, who: str, keys: Sequence[PublicKey], request: Request) -> None:
        """Demand that one of these keys signed this request, now and once. Raises BadRequest E101 or E107."""
        stamp, nonce, signature = (request.headers.get(name, "") for name in ("X-Timestamp", "X-Nonce", "X-Signature"))
        self._check_signature(keys, request, stamp, nonce, signature)
        if abs(int(stamp) - self.now()) > SKEW_S:
            raise BadRequest("clock is more than 300 s off", "E107", 401, serverTime=iso(self.now()))
        self._check_nonce(f"{who}|{nonce}")

    def new_token(self, device: str) -> dict[str, object]:
        """Return a fresh token; older ones of the device stay good until they expire."""
        token, now = secrets.token_urlsafe(32), self.now()
        with self._lock:
            self._tokens = {value: owner for value, owner in self._tokens.items() if owner[1] > now}
            self._tokens[token] = (device, now + TOKEN_S)
        return {"token": token, "expiresAt": iso(now + TOKEN_S), "serverTime": iso(now)}

    def check_token(self, device: str, request: Request) -> None:
        """Demand a token of this device. Raises BadRequest E101."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            if self._board.take("police", request.path, frozenset({"expire_token"})):
                self._tokens.clear()
            owner, until = self._tokens.get(token, ("", 0.0))
        if owner != device or until <= self.now():
            raise BadRequest("token is unknown or expired", "E101", 401)

    @staticmethod
    def _check_signature(keys: Sequence[PublicKey], request: Request, stamp: str, nonce: str, signature: str) -> None:
        well_formed = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and 16 <= len(nonce) <= 128
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        for key in keys:
            told = (request.method, request.target, stamp, nonce, device_keys.body_hash(key, request.body))
            if well_formed and device_keys.fits(key, given, "\n".join(told).encode()):
                return
        raise BadRequest("signature does not fit the request", "E101", 401)

    def _check_nonce(self, nonce: str) -> None:
        now = time.monotonic()
        with self._lock:
            while self._nonces and next(iter(self._nonces.values())) < now - NONCE_S:
                del self._nonces[next(iter(self._nonces))]
            if nonce in self._nonces:
                raise BadRequest("nonce was used before", "E101", 401)
            self._nonces[nonce] = now
