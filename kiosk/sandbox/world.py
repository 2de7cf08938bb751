"""One run of the sandbox within this process: its folder, keys, three servers, and what can be asked of it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.errors import ModelsMissing
from kiosk.sandbox import pki
from kiosk.sandbox.activation import Activation
from kiosk.sandbox.credentials import Issuer
from kiosk.sandbox.fault_script import Line
from kiosk.sandbox.faults import FaultBoard, Option, made
from kiosk.sandbox.gateway import Gateway
from kiosk.sandbox.hotel import Hotel
from kiosk.sandbox.http import Server, Tls
from kiosk.sandbox.info import DEVICE_ID, INFO_FILE, SUISHEN_HOST, SandboxInfo
from kiosk.sandbox.ledger_view import LedgerView, view
from kiosk.sandbox.messages import App
from kiosk.sandbox.outage import Outage
from kiosk.sandbox.people import PEOPLE, Person
from kiosk.sandbox.police import Police
from kiosk.sandbox.receiver import Receiver
from kiosk.sm2 import Sm2PrivateKey


class Portraits:
    """Each portrait once, made when it is first asked for, or ahead of that on a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], bytes] = {}
        self._ended = threading.Event()
        self._warming = threading.Thread(target=self._warm, name="portraits", daemon=True)

    def warm(self) -> None:
        """Make what the invented people need, in the background: loading the picture library takes a while."""
        self._warming.start()

    def close(self) -> None:
        """Wait for the thread: a process that ends while it is inside the picture library would abort."""
        self._ended.set()
        self._warming.join()

    def jpeg(self, person: Person) -> bytes | None:
        """Return the gateway's portrait. Raises ModelsMissing."""
        return None if person.portrait is None else self._get("jpeg", person.portrait)

    def webp(self, person: Person) -> bytes | None:
        """Return the portrait for a code. Raises ModelsMissing."""
        return None if person.portrait is None else self._get("webp", person.portrait)

    def _get(self, kind: str, photo: str) -> bytes:
        from kiosk.sandbox import portraits

        with self._lock:
            if (kind, photo) not in self._made:
                make = portraits.gateway_jpeg if kind == "jpeg" else portraits.code_webp
                self._made[kind, photo] = make(photo)
            return self._made[kind, photo]

    def _warm(self) -> None:
        try:
            for photo in sorted({person.portrait for person in PEOPLE.values() if person.portrait}):
                for kind in ("jpeg", "webp"):
                    if self._ended.is_set():
                        return
                    self._get(kind, photo)
        except ModelsMissing as exc:
            sys.stderr.write(f"sandbox: no portraits: {exc}\n")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the servers of a run behave as long as nothing is spoiled."""

    latency_ms: float = 50
    """What each call takes on top of the work."""
    delay_s: float = 0.03
    """How long a batch lies in the police's queue before it is looked at."""
    ledger_in_memory: bool = False
    """Keep the police's ledger off the disk: ``ledger()`` reads it, nothing else can."""
    capacity_per_s: float = 0
    """More requests to the police in a second are 503; 0: as many as come."""


class Sandbox:
    """Gateway, police endpoint and hotel system, ready when made. ``close`` ends them."""

    def __init__(self, run_dir: Path, behaviour: Behaviour) -> None:
        """Make keys and databases in ``run_dir`` (0700, made if absent) and listen. Raises OSError."""
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        run_dir.chmod(0o700)
        keys = pki.keep(run_dir / "keys", DEVICE_ID)
        self.board = FaultBoard()
        self._outages: list[Outage] = []
        self._issuer = Issuer.new()
        self._issuer.write_public_keys(run_dir / "issuers")
        self._portraits = Portraits()
        self._gateway = Gateway(run_dir / "gateway.db", self._portraits.jpeg)
        self._hotel = Hotel(run_dir / "hotel.db", run_dir / "bookings.csv")
        self._police = _police(run_dir, keys, self.board, behaviour)
        authority = pki.DeviceAuthority.new()
        self._activation = Activation(self._police.door, authority, keys.ca_file, keys.receipt_key_file)
        known, strangers = Tls.load(keys, authority.pem), Tls.for_strangers(keys)
        apps: Sequence[App] = (self._gateway, self._police, self._hotel, self._activation)
        self._servers = {
            app.name: Server(app, strangers if app is self._activation else known, self.board, behaviour.latency_ms)
            for app in apps
        }
        if behaviour.capacity_per_s:
            self.fault("police_capacity", per_s=behaviour.capacity_per_s)
        for server in self._servers.values():
            server.open()
        self.info = _info(run_dir, keys, {name: server.url for name, server in self._servers.items()})
        _write_private(run_dir / INFO_FILE, self.info.to_json() + "\n")
        self._portraits.warm()

    def issue_suishen(self, person: Person) -> bytes:
        """Return a fresh Suishen code; the person has a fresh booking to go with it."""
        self._rebook(person)
        return self._gateway.issue(person).encode("ascii")

    def issue_claim169(self, person: Person, fault: str | None = None) -> bytes:
        """Return a fresh e-ID QR; the person has a fresh booking. Raises ValueError, ModelsMissing."""
        payload = self._issuer.issue(person, self._portraits.webp(person), fault)
        self._rebook(person)
        return payload

    def installer_code(self) -> str:
        """Return a fresh code with which a new kiosk is activated."""
        return self._activation.new_code()

    def booking_of(self, person: Person) -> dict[str, object] | None:
        """Return the person's present booking in the hotel system's words."""
        return self._hotel.booking_of(person)

    def ledger(self) -> LedgerView:
        """Return what the police have taken in and what became of it."""
        return view(self._police.ledger.store)

    def fault(self, kind: str, **options: Option) -> None:
        """Put a fault on the board. Raises ValueError."""
        fault = self.board.add(kind, **options)
        if fault.effect == "outage":
            self._outages.append(Outage(self._servers[fault.server], fault))

    def script(self, lines: Sequence[Line]) -> None:
        """Put several faults on the board: all of them, or none. Raises ValueError."""
        for line in lines:
            made(line.kind, **line.options)
        for line in lines:
            self.fault(line.kind, **line.options)

    def clear_faults(self, kind: str = "") -> None:
        """Take every fault (of this kind) off the board; servers that one of them closed listen again."""
        self.board.clear(kind)
        for outage in self._outages:
            outage.wait_if_cleared()

    def open_police(self) -> None:
        """Listen again on the port of before. Raises OSError."""
        self._servers["police"].open()

    def close_police(self) -> None:
        """Close the police endpoint's listening socket and every connection to it."""
        self._servers["police"].close()

    def close(self) -> None:
        """End servers and databases. Safe to call twice."""
        self.clear_faults()
        for server in self._servers.values():
            server.close()
        self._police.stop()
        self._gateway.close()
        self._hotel.close()
        self._portraits.close()

    def _rebook(self, person: Person) -> None:
        booked = self._hotel.book_anew(person)
        if booked is not None:
            self._police.ledger.depart(booked.former)


def _private(path: Path) -> Ed25519PrivateKey:
    return cast(Ed25519PrivateKey, load_pem_private_key(path.read_bytes(), password=None))


def _police(run_dir: Path, keys: pki.Pki, board: FaultBoard, behaviour: Behaviour) -> Police:
    sm2 = Sm2PrivateKey.from_pem(keys.device_sm2_key_file.read_bytes()).public_key()
    return Police(
        None if behaviour.ledger_in_memory else run_dir / "police.db",
        board,
        {DEVICE_ID: (_private(keys.device_key_file).public_key(), sm2)},
        _private(keys.receipt_private_key_file),
        delay_s=behaviour.delay_s,
        receiver=Receiver(run_dir / "recipients"),
    )


def _info(run_dir: Path, keys: pki.Pki, urls: Mapping[str, str]) -> SandboxInfo:
    return SandboxInfo(
        run_dir=run_dir,
        gateway_url=urls["gateway"],
        police_url=urls["police"],
        hotel_url=urls["hotel"],
        activation_url=urls["activation"],
        ca_file=keys.ca_file,
        client_cert_file=keys.client_cert_file,
        client_key_file=keys.client_key_file,
        device_key_file=keys.device_key_file,
        device_sm2_key_file=keys.device_sm2_key_file,
        recipients_dir=run_dir / "recipients",
        issuer_keys_dir=run_dir / "issuers",
        csv_path=run_dir / "bookings.csv",
        suishen_host=SUISHEN_HOST,
        receipt_key_file=keys.receipt_key_file,
    )


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
