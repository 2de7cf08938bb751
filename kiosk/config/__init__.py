"""One kiosk's settings: frozen, typed, whole. Read from config.toml; every fault is told at once.

``sections`` says which keys there are, ``rules`` and ``production`` what must hold between them, ``loading`` reads.
"""

from __future__ import annotations

from kiosk.config.faults import BadSettings, Fault
from kiosk.config.loading import ROOT, load, resolved, usual_file
from kiosk.config.sections import (
    DOUBT_FLOOR,
    PAD_FLOOR,
    SIMILARITY_FLOOR,
    CameraSection,
    Config,
    CredentialsSection,
    DriverName,
    FaceSection,
    GatewaySection,
    KeyEncoderSection,
    KioskSection,
    OutboxSection,
    ReportingSection,
    ReservationsSection,
    SandboxSection,
    ScreenSection,
    Section,
    StaffSection,
    TlsFiles,
)

__all__ = [
    "DOUBT_FLOOR",
    "PAD_FLOOR",
    "ROOT",
    "SIMILARITY_FLOOR",
    "BadSettings",
    "CameraSection",
    "Config",
    "CredentialsSection",
    "DriverName",
    "FaceSection",
    "Fault",
    "GatewaySection",
    "KeyEncoderSection",
    "KioskSection",
    "OutboxSection",
    "ReportingSection",
    "ReservationsSection",
    "SandboxSection",
    "ScreenSection",
    "Section",
    "StaffSection",
    "TlsFiles",
    "load",
    "resolved",
    "usual_file",
]
