"""What a kiosk in production refuses: simulated devices, loopback, the sandbox's keys, the demo's names."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.config.faults import Fault
from kiosk.config.keys import ENDPOINTS, fault, path_of, value_of
from kiosk.config.sections import Config

SANDBOX_ORGANISATION = "Suizhu sandbox"
"""Organisation in the subject of the sandbox's certificates (kiosk.sandbox.pki, which is out of reach from here)."""

SANDBOX_RECIPIENT = "sandbox-"
"""How the sandbox's names of keys begin that guests are sealed to."""

PRETENDED = {
    "camera.driver": ("simulated", "video"),
    "key_encoder.driver": ("simulated",),
    "reservations.driver": ("simulated",),
}
"""Drivers without hardware or a hotel behind them."""

OWN = (
    "kiosk.kiosk_id",
    "kiosk.hotel_code",
    "kiosk.hotel_name_zh",
    "kiosk.hotel_name_en",
    "kiosk.police_station",
    "gateway.organisation",
    "gateway.machine_id",
    "reporting.device_id",
)
"""Keys that the demo fills with invented values: a real kiosk has its own."""

_LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}
_RESERVED_ENDS = (".localhost", ".invalid", ".test", ".example")
"""RFC 6761: names that lead nowhere or home."""


def refused(config: Config, _root: Path) -> Iterator[Fault]:
    """Yield what stands against production: reads certificates and issuer keys. Nothing in a demo."""
    if config.kiosk.mode != "production":
        return
    yield from _pretended_devices(config)
    yield from _endpoints(config)
    yield from _certificates(config)
    yield from _issuers(config)
    yield from _recipient(config)
    yield from _demo_values(config)


def leads_home(host: str) -> bool:
    """Say whether a host is this machine or a name that no real server can have."""
    name = host.rstrip(".").lower()
    if name in _LOOPBACK_NAMES or name.endswith(_RESERVED_ENDS):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(name))  # 127.1 and 2130706433 reach it too
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def sandbox_certificate(path: Path) -> bool:
    """Say whether a PEM file holds a certificate of the sandbox. False when it cannot be read: others tell that."""
    from cryptography import x509  # slow to import, and no demo needs it here
    from cryptography.x509.oid import NameOID

    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return False
    names = [name for certificate in certificates for name in (certificate.subject, certificate.issuer)]
    organisations = [part.value for name in names for part in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return SANDBOX_ORGANISATION in organisations


def _pretended_devices(config: Config) -> Iterator[Fault]:
    for key, names in PRETENDED.items():
        if value_of(config, key) in names:
            yield fault(config, key, "a driver of a real device in production", "name the driver of the device")


def _endpoints(config: Config) -> Iterator[Fault]:
    allowed = "the https address of a real server in production"
    for section, needed in _needed_endpoints(config).items():
        url = getattr(config, section).url
        if not url and needed:
            yield fault(config, f"{section}.url", allowed, "write the address that the other side gave")
        elif url and (not url.startswith("https://") or leads_home(_host(url))):
            fix = "write the address that the other side gave; loopback and plain http are for the demo"
            yield fault(config, f"{section}.url", allowed, fix)
        if url and getattr(config, section).client_cert_file is None:
            fix = "name the certificate that the other side issued for this kiosk"
            yield fault(config, f"{section}.client_cert_file", "a path: production needs mutual TLS", fix)
    for host in config.credentials.suishen_hosts:
        if leads_home(host):
            fix = f"remove {host}: it is a name of the sandbox"
            yield fault(config, "credentials.suishen_hosts", "hosts of real codes in production", fix)


def _needed_endpoints(config: Config) -> dict[str, bool]:
    """Which sections with an address must have one: a hotel that drops a file has no server."""
    return {"gateway": True, "reporting": True, "reservations": config.reservations.driver != "csv"}


def _certificates(config: Config) -> Iterator[Fault]:
    for section in ENDPOINTS:
        for name in ("ca_file", "client_cert_file"):
            key = f"{section}.{name}"
            path = path_of(config, key)
            if path is not None and sandbox_certificate(path):
                fix = "put the authority's own certificate there: anybody can make one of the sandbox"
                yield fault(config, key, "no certificate of the sandbox in production", fix)


def _issuers(config: Config) -> Iterator[Fault]:
    key = "credentials.issuer_keys_dir"
    folder = config.credentials.issuer_keys_dir
    files = sorted(folder.glob("*.json")) if folder is not None and folder.is_dir() else []
    for file in files:
        if _is_sandbox_issuer(file):
            fix = f'remove {file.name}, which does not say "sandbox": false: whoever has the sandbox can sign with it'
            yield fault(config, key, "no issuer of the sandbox in production", fix)
    if not files and "claim169" in config.credentials.formats:
        fix = "import an authorised issuer's key there, or remove claim169 from credentials.formats"
        yield fault(config, key, "a folder with an issuer's key, because credentials.formats has claim169", fix)


def _recipient(config: Config) -> Iterator[Fault]:
    path = config.outbox.recipient_key_file
    try:
        kid = json.loads(path.read_text(encoding="utf-8"))["kid"] if path is not None else ""
    except (OSError, ValueError, LookupError, TypeError):
        return  # the outbox tells it when it reads the key
    if str(kid).startswith(SANDBOX_RECIPIENT):
        fix = "put the authority's own key there: whoever has the sandbox can open what is sealed to its key"
        yield fault(config, "outbox.recipient_key_file", "no key of the sandbox in production", fix)


def _is_sandbox_issuer(file: Path) -> bool:
    try:
        key = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return not isinstance(key, dict) or key.get("sandbox") is not False


def _demo_values(config: Config) -> Iterator[Fault]:
    demo = Config()
    for key in OWN:
        if value_of(config, key) == value_of(demo, key):
            yield fault(config, key, "a value of this kiosk's own in production", "replace the demo's value")
    if config.staff.operators_file is None:
        fix = "name the file with the clerks' hashed PINs; a PIN on the terminal is for the demo"
        yield fault(config, "staff.operators_file", "a path in production", fix)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
