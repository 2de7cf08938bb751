"""Where a running sandbox is: addresses and files, as one frozen value."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

DEVICE_ID = "demo-01"
"""The one device that the police endpoint knows at the start."""

SUISHEN_HOST = "suishen.sandbox.invalid"
"""Host of the invented Suishen codes. ``.invalid`` can never resolve: nobody can open such a code."""

INFO_FILE = "sandbox.json"
"""Name of the file in the run directory that holds a SandboxInfo."""


@dataclass(frozen=True, slots=True)
class SandboxInfo:
    """One run of the sandbox. Every key and database lies in ``run_dir`` (0700); a new folder gets new ones."""

    run_dir: Path
    gateway_url: str
    police_url: str
    hotel_url: str
    activation_url: str
    """Where a new kiosk is activated: the one server that wants no client certificate."""
    ca_file: Path
    client_cert_file: Path
    client_key_file: Path
    device_key_file: Path
    """Ed25519 private key (PEM) that signs requests to the police endpoint as ``DEVICE_ID``."""
    device_sm2_key_file: Path
    """SM2 private key (PEM) that may sign them instead."""
    recipients_dir: Path
    """Public keys that a guest may be sealed to, a JSON file for each kind, as ``outbox.recipient_key_file`` wants."""
    issuer_keys_dir: Path
    """Public keys of the e-ID issuer, one ``<kid>.json`` each."""
    csv_path: Path
    """The hotel's bookings as the file that a hotel system drops."""
    suishen_host: str
    receipt_key_file: Path
    """Ed25519 public key (PEM) that verifies the daily lists of receipts."""

    def to_json(self) -> str:
        """Return one line of JSON; paths become strings."""
        return json.dumps({f.name: str(getattr(self, f.name)) for f in fields(self)})

    @classmethod
    def from_json(cls, text: str) -> SandboxInfo:
        """Read what ``to_json`` wrote. Raises KeyError for a missing field."""
        table = json.loads(text)
        values: dict[str, Any] = {f.name: _TYPES[str(f.type)](table[f.name]) for f in fields(cls)}
        return cls(**values)


_TYPES: dict[str, type[Path | str]] = {"Path": Path, "str": str}
