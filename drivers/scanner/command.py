"""``./run scan IMAGE… [--json]``: what each picture holds. The decoders are loaded once for all pictures."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from drivers.scanner.decode import Decoded, Image, decode

PREVIEW_BYTES = 60


@dataclass(frozen=True, slots=True)
class Scanned:
    """What came of one picture. ``ms``: decoding alone, without reading the file."""

    file: str
    ms: float
    codes: tuple[Decoded, ...] = ()
    error: str = ""

    def as_json(self) -> dict[str, object]:
        codes = [
            {"bytes_b64": base64.b64encode(code.payload).decode("ascii"), "decoder": code.decoder}
            for code in self.codes
        ]
        result: dict[str, object] = {"file": self.file, "ms": self.ms, "codes": codes}
        return {**result, "error": self.error} if self.error else result


def main(argv: list[str]) -> int:
    """Print what each picture holds. Exit 0 when all could be opened, also when they hold no code."""
    parser = argparse.ArgumentParser(prog="./run scan", description="Print the QR codes that pictures hold.")
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    decode(np.full((64, 64), 255, np.uint8))
    results = []
    for name in arguments.images:
        results.append(scan(name))
        if not arguments.json:
            sys.stdout.writelines(f"{line}\n" for line in told(results[-1]))
    if arguments.json:
        sys.stdout.write(json.dumps({"results": [result.as_json() for result in results]}, ensure_ascii=False) + "\n")
    return 1 if any(result.error for result in results) else 0


def scan(name: str) -> Scanned:
    """Read one picture file and decode it; a file that cannot be used is a result with an error."""
    try:
        image = load(Path(name))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Scanned(name, 0.0, error=f"{name}: {reason}; give a picture file such as PNG or JPEG")
    began = time.perf_counter()
    codes = tuple(decode(image))
    return Scanned(name, round((time.perf_counter() - began) * 1000, 2), codes)


def load(path: Path) -> Image:
    """Return the picture, 8 bits a channel. Raises OSError, or ValueError when the file is no picture."""
    data = path.read_bytes()
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error:
        image = None
    if image is None:
        raise ValueError("not a picture that can be read")
    if image.dtype != np.uint8:
        lightest = max(float(np.max(image)), 1e-9)
        image = (np.clip(image, 0, None) * (255.0 / lightest)).astype(np.uint8)
    return np.asarray(image, np.uint8)


def told(scanned: Scanned) -> list[str]:
    """Return the lines for a reader: size and the beginning of each payload."""
    if scanned.error:
        return [f"error: {scanned.error}"]
    if not scanned.codes:
        return [f"{scanned.file}: no code ({scanned.ms:.1f} ms)"]
    return [
        f"{scanned.file}: {len(code.payload)} bytes by {code.decoder} ({scanned.ms:.1f} ms): {preview(code.payload)}"
        for code in scanned.codes
    ]


def preview(payload: bytes) -> str:
    """Return the beginning of a payload: as text if it is printable, else in hexadecimal digits."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    shown = repr(text[:PREVIEW_BYTES]) if text and text.isprintable() else payload[:PREVIEW_BYTES].hex(" ")
    return shown + ("…" if len(payload) > PREVIEW_BYTES else "")
