"""What the kiosk and its vision process say to each other. Frozen values, pickled over a socket of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from kiosk.ports import VisionReport

# ---- to the vision process -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchCodes:
    watch: int


@dataclass(frozen=True, slots=True)
class WatchFace:
    watch: int
    reference: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wipe:
    """Look at nothing, keep nothing. ``wipes``: see ``Frames.wipe``."""

    wipes: int


@dataclass(frozen=True, slots=True)
class Quit:
    pass


Command: TypeAlias = WatchCodes | WatchFace | Wipe | Quit

# ---- from the vision process -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The nets are loaded, or are not there."""

    face_capable: bool


@dataclass(frozen=True, slots=True)
class CameraUp:
    """Frames flow."""


@dataclass(frozen=True, slots=True)
class CameraDown:
    reason: str


@dataclass(frozen=True, slots=True)
class Saw:
    report: VisionReport


@dataclass(frozen=True, slots=True)
class Logged:
    """A line for the log. The kiosk writes it: two processes must not rotate one file."""

    level: int
    logger: str
    text: str


Message: TypeAlias = Ready | CameraUp | CameraDown | Saw | Logged
