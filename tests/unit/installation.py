"""A folder with the drivers of an invented installation, and settings of a kiosk that is ready for real guests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DRIVERS = {
    "drivers/camera": ("simulated", "video", "v4l2"),
    "drivers/key_encoder": ("simulated", "acme"),
    "kiosk/reservations": ("simulated", "csv"),
    "offline_queue/endpoints": ("psb_report",),
    "kiosk/credentials": ("suishen", "claim169"),
}

PRODUCTION = """
[kiosk]
mode = "production"
kiosk_id = "lobby-2"
hotel_code = "3101008888"
hotel_name_zh = "临江酒店"
hotel_name_en = "Riverside"
police_station = "310100880000"
[camera]
driver = "v4l2"
[credentials]
issuer_keys_dir = "issuers"
[gateway]
url = "https://gateway.hotel-group.cn/id"
ca_file = "ca.pem"
client_cert_file = "client.pem"
client_key_file = "client.key"
organisation = "riverside"
machine_id = "lobby-2"
[reservations]
driver = "csv"
csv_path = "bookings.csv"
[reporting]
url = "https://report.police.cn:8443"
ca_file = "ca.pem"
client_cert_file = "client.pem"
client_key_file = "client.key"
device_key_file = "device.key"
device_id = "lobby-2"
[key_encoder]
driver = "acme"
[staff]
operators_file = "operators.toml"
"""


def lay_out_drivers(root: Path) -> Path:
    """Make the drivers' folders below ``root``, each with a helper that is no driver."""
    for folder, names in DRIVERS.items():
        (root / folder).mkdir(parents=True)
        (root / folder / "leaned_on.py").write_text("def something() -> None: ...\n")
        makes = "recognise" if folder == "kiosk/credentials" else "make"
        for name in names:
            (root / folder / f"{name}.py").write_text(f"def {makes}(config: object) -> object: ...\n")
    return root


def lay_out_files(folder: Path, organisation: str = "Riverside Group") -> None:
    """Put every file that PRODUCTION names into ``folder``."""
    for name in ("ca.pem", "client.pem"):
        (folder / name).write_bytes(certificate(organisation))
    for name in ("client.key", "device.key", "operators.toml"):
        (folder / name).write_text("\n")
        (folder / name).chmod(0o600)
    (folder / "issuers").mkdir()
    (folder / "issuers" / "k1.json").write_text(json.dumps({"kid": "k1", "issuer": "an authority", "sandbox": False}))


def certificate(organisation: str) -> bytes:
    """Return a self-signed certificate (PEM) of that organisation."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
