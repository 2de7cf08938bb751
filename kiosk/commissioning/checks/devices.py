"""The devices that config.toml names: each is opened and used the way a check-in uses it."""

from __future__ import annotations

import importlib
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.config import Config
from kiosk.errors import DeviceUnavailable

FIRST_FRAME_S = 5.0
"""How long a camera may take from ``open`` to its first frame."""


def camera(config: Config, *, kiosk_runs: bool) -> Finding:
    """Open the camera and read one frame; blocks up to seven seconds. A running kiosk is not disturbed."""
    driver = config.camera.driver
    if kiosk_runs:
        meaning = f"not opened: the running kiosk holds {driver}, its welcome screen tells whether it sees"
        return Finding("camera", Result.SKIPPED, meaning, "stop the kiosk to test the camera by itself")
    try:
        took_s = _first_frame(config)
    except DeviceUnavailable as exc:
        return _no_camera(f"{driver} gives no picture: {exc}", "plug it in, or correct camera.device")
    except Exception as exc:  # a driver may fail in any way; the other checks must still run
        return _no_camera(
            f"{driver} cannot be used ({type(exc).__name__})", "correct camera.driver; see ./run check-config"
        )
    if took_s is None:
        return _no_camera(
            f"{driver} opened, but gave no frame in {FIRST_FRAME_S:.0f} s",
            "plug it out and in again; see whether another program holds it",
        )
    return Finding("camera", Result.OK, f"{driver} gave a frame after {took_s * 1000:.0f} ms", "", Capability.CODES)


def decoders() -> Finding:
    """Load the libraries that read codes."""
    missing = [name for name in ("zxingcpp", "pyzbar.pyzbar") if not _imports(name)]
    if "zxingcpp" in missing:
        meaning = "zxing-cpp cannot be loaded: no code is read"
        return Finding("decoders", Result.FAIL, meaning, "./run sets the environment up again", Capability.CODES)
    if missing:
        meaning = "zbar cannot be loaded: codes on cracked or over-exposed screens are read less often"
        return Finding("decoders", Result.WARN, meaning, "apt-get install libzbar0", Capability.CODES)
    return Finding("decoders", Result.OK, "zxing-cpp, and zbar behind it", "", Capability.CODES)


def key_encoder(config: Config) -> Finding:
    """Load the key encoder's driver. No key is made."""
    driver = config.key_encoder.driver
    try:
        importlib.import_module(f"drivers.key_encoder.{driver}").make(config)
    except Exception as exc:  # as above
        reason = str(exc) if isinstance(exc, DeviceUnavailable) else type(exc).__name__
        meaning = f"{driver} cannot be used ({reason}): staff hand out every key"
        return Finding(
            "key encoder", Result.FAIL, meaning, "plug it in, or correct key_encoder.driver", Capability.KEYS
        )
    pretends = ", which makes no real key" if driver == "simulated" else ""
    return Finding("key encoder", Result.OK, f"{driver} is ready{pretends}", "", Capability.KEYS)


def _no_camera(meaning: str, next_step: str) -> Finding:
    return Finding("camera", Result.FAIL, f"{meaning}: no code is read", next_step, Capability.CODES)


def _first_frame(config: Config) -> float | None:
    """Return the seconds from ``open`` to a whole frame, or None when none came."""
    import numpy as np

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doctor-")))
        # A scene of its own, so that a demo's socket is left alone
        own = config.model_copy(update={"camera": config.camera.model_copy(update={"scene_socket": scratch / "s"})})
        folder: Any = importlib.import_module("drivers.camera")
        device: Any = importlib.import_module(f"drivers.camera.{config.camera.driver}").make(own)
        stack.enter_context(closing(device))
        frame = np.zeros(folder.FRAME_SHAPE, np.uint8)
        began = time.monotonic()
        device.open()
        while time.monotonic() - began < FIRST_FRAME_S:
            if device.read(frame) and frame.any():
                return time.monotonic() - began
    return None


def _imports(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
