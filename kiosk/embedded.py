"""The demo's world: the sandbox as a process of its own, and the settings that point at it."""

from __future__ import annotations

from pathlib import Path

from kiosk.config import Config
from kiosk.errors import DeviceUnavailable
from kiosk.sandbox.info import SandboxInfo

POINTER = "sandbox.dir"
"""File in the state folder that names the folder of the embedded sandbox while the kiosk runs."""


def needs_sandbox(config: Config) -> bool:
    """Say whether this kiosk is a demo that names no endpoint of its own."""
    named = config.gateway.url or config.reporting.url
    return config.kiosk.mode == "demo" and not named


def pointed_at(config: Config, info: SandboxInfo) -> Config:
    """Return the settings with the sandbox's addresses, certificates and issuer keys filled in."""
    tls = {
        "ca_file": info.ca_file,
        "client_cert_file": info.client_cert_file,
        "client_key_file": info.client_key_file,
    }
    device_key_file = info.device_sm2_key_file if config.outbox.suite == "gm" else info.device_key_file
    hotel = {**tls, "url": info.hotel_url, "csv_path": config.reservations.csv_path or info.csv_path}
    credentials = {
        "issuer_keys_dir": config.credentials.issuer_keys_dir or info.issuer_keys_dir,
        "suishen_hosts": (*config.credentials.suishen_hosts, info.suishen_host),
    }
    return config.model_copy(
        update={
            "gateway": config.gateway.model_copy(update={**tls, "url": info.gateway_url}),
            "reservations": config.reservations.model_copy(update=hotel),
            "reporting": config.reporting.model_copy(
                update={
                    **tls,
                    "url": info.police_url,
                    "device_key_file": device_key_file,
                    "receipts_key_file": info.receipt_key_file,
                }
            ),
            "credentials": config.credentials.model_copy(update=credentials),
        }
    )


def leave_pointer(state_dir: Path, run_dir: Path) -> None:
    """Let other commands find the sandbox of this kiosk."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (state_dir / POINTER).write_text(str(run_dir), encoding="utf-8")


def remove_pointer(state_dir: Path) -> None:
    """The sandbox ends."""
    (state_dir / POINTER).unlink(missing_ok=True)


def sandbox_dir(state_dir: Path) -> Path:
    """Return the folder of the sandbox that a running demo kiosk embeds. Raises DeviceUnavailable."""
    try:
        return Path((state_dir / POINTER).read_text(encoding="utf-8").strip())
    except OSError as error:
        raise DeviceUnavailable("demo", f"no demo kiosk runs on {state_dir}; begin one with ./run start") from error
