"""The sections of config.toml: every key, its type, its range and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SIMILARITY_FLOOR = 0.42
"""Compiled floor of ``face.similarity_threshold``: a site may only tighten it."""
DOUBT_FLOOR = 0.33
"""Compiled floor of ``face.doubt_threshold``."""
PAD_FLOOR = 0.50
"""Compiled floor of ``face.pad_threshold``."""

DriverName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        max_length=40,
        description="the name of a driver's file without .py: small letters, digits and _",
    ),
]
"""A file's name without .py in the folder of that device."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty), Field(description='a path, or "" for none')]
"""TOML has no null: an empty text means none."""

HostName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,251}[a-z0-9]$", description="a host name in small letters")
]
ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$", description="two digits")]

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$", description="1 to 64 letters, digits and . _ : -")]
"""A name that another system gave."""

Url = Annotated[str, Field(max_length=300, description='https://HOST[:PORT][/PATH], or "" for none')]


class Section(BaseModel):
    """A table of config.toml: unknown keys are faults, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KioskSection(Section):
    mode: Literal["demo", "production"] = "demo"
    kiosk_id: str = Field(
        default="demo-01", pattern=r"^[A-Za-z0-9-]{1,32}$", description="1 to 32 letters, digits and -"
    )
    hotel_code: str = Field(default="3101009999", pattern=r"^[0-9]{10}$", description="10 digits")
    hotel_name_zh: str = Field(default="随住示范酒店", min_length=1, max_length=30)
    hotel_name_en: str = Field(default="Suizhu Demo Hotel", min_length=1, max_length=60)
    police_station: str = Field(default="310100990000", pattern=r"^[0-9]{12}$", description="12 digits")
    state_dir: Path = Field(default=Path("var"), description="a folder on a disk that survives a power cut")
    """Outbox, audit, keys and replay memory of this kiosk; relative to the settings file."""
    timezone: str = Field(default="Asia/Shanghai", description="a name of the time zone database")


class ScreenSection(Section):
    width_px: int = Field(default=1080, ge=600, le=4320)
    height_px: int = Field(default=1920, ge=800, le=7680)
    diagonal_inch: float = Field(default=21.5, ge=7, le=65)
    languages: tuple[Literal["zh-CN", "en"], ...] = Field(
        default=("zh-CN", "en"), min_length=1, description='a list of "zh-CN" and "en", the first is shown first'
    )
    idle_s: float = Field(default=60, ge=20, le=600)
    idle_warning_s: float = Field(default=20, ge=10, le=60)
    elder_idle_s: float = Field(default=120, ge=20, le=900)
    result_s: float = Field(default=60, ge=5, le=300)


class CameraSection(Section):
    driver: DriverName = "simulated"
    device: str = Field(default="/dev/video0", min_length=1, max_length=255)
    video_path: OptionalPath = None
    scene_socket: OptionalPath = None
    """Simulated driver only: Unix socket on which the demo and tests say what is held up to the camera.
    None: ``scene.sock`` in the state folder."""
    width_px: int = Field(default=1280, ge=640, le=3840)
    height_px: int = Field(default=720, ge=480, le=2160)
    fps: float = Field(default=30, ge=5, le=60)


class CredentialsSection(Section):
    formats: tuple[DriverName, ...] = Field(
        default=("suishen", "claim169"), min_length=1, description='a list of formats, as in ["suishen", "claim169"]'
    )
    accepted_provinces: Literal["all"] | Annotated[tuple[ProvinceCode, ...], Field(min_length=1)] = Field(
        default=("31", "33", "34"), description='"all", or a list of two-digit codes in quotes, as in ["31", "33"]'
    )
    suishen_hosts: tuple[HostName, ...] = Field(
        default=("s.sh.gov.cn", "suishenma.sh.gov.cn"), description="a list of host names, without https:// and path"
    )
    issuer_keys_dir: OptionalPath = None
    replay_hours: float = Field(default=24, ge=1, le=168)


class TlsFiles(Section):
    """PEM files for mutual TLS. All None in the demo: the sandbox fills them in."""

    ca_file: OptionalPath = None
    client_cert_file: OptionalPath = None
    client_key_file: OptionalPath = None


class GatewaySection(TlsFiles):
    url: Url = ""
    """Base URL of the identity gateway; empty in the demo means the embedded sandbox."""
    place: Word = "hotel-front-desk"
    purpose: Word = "hotel-check-in"
    organisation: Word = "suizhu-demo-hotel"
    machine_id: Word = "demo-01"
    timeout_s: float = Field(default=5, ge=1, le=30)
    portrait: bool = True
    """The site's contract gives a portrait after the guest's face consent."""


class ReservationsSection(TlsFiles):
    driver: DriverName = "simulated"
    csv_path: OptionalPath = None
    url: Url = ""
    timeout_s: float = Field(default=5, ge=1, le=30)


class FaceSection(Section):
    policy: Literal["never", "offer_always"] = "offer_always"
    similarity_threshold: float = Field(default=0.42, ge=SIMILARITY_FLOOR, le=1.0)
    doubt_threshold: float = Field(default=DOUBT_FLOOR, ge=DOUBT_FLOOR, le=1.0)
    pad_threshold: float = Field(default=0.55, ge=PAD_FLOOR, le=1.0)
    attempt_s: float = Field(default=12, ge=3, le=60)


class OutboxSection(Section):
    due_domestic_min: float = Field(default=60, ge=5, le=1440)
    due_overseas_h: float = Field(default=24, ge=1, le=24)
    retention_days: float = Field(default=30, ge=1, le=30)
    """The consent text promises at most 30 days."""
    poison_attempts: int = Field(default=20, ge=3, le=1000)
    suite: Literal["intl", "gm"] = "intl"
    """Algorithms: AES-GCM, SHA-256, Ed25519; or SM4-GCM, SM3, SM2. What waits already keeps its own."""
    key_store: Literal["file", "tpm"] = "file"
    """Where the kiosk's key is kept. Moved by ``queue rotate-keys``."""
    tpm_tcti: str = Field(
        default="device:/dev/tpmrm0",
        pattern=r"^[a-z][a-z0-9-]*(:[A-Za-z0-9/._=,:-]{0,200})?$",
        description="how tpm2-tools reach the TPM: device:/dev/tpmrm0, or swtpm:host=HOST,port=PORT",
    )
    recipient_key_file: OptionalPath = None
    """Set: write-only. Guests are sealed to this public key, and the kiosk cannot read them again."""
    second_copy: bool = False
    """Everything sealed is written a second time before a registration is acknowledged; keys never."""
    second_copy_dir: OptionalPath = None
    """Best on another disk; None: ``second-copy`` in the state folder."""
    disk_warn_mb: int = Field(default=500, ge=3, le=1_000_000)
    disk_staff_mb: int = Field(default=200, ge=2, le=1_000_000)
    disk_refuse_mb: int = Field(default=50, ge=1, le=1_000_000)
    """Of what is left on the disk of the state folder, besides the ballast."""
    ballast_mb: int = Field(default=64, ge=0, le=4096)
    """Given up when the disk is full, so that marking and erasing go on; 0: none."""


class ReportingSection(TlsFiles):
    endpoint: DriverName = "psb_report"
    url: Url = ""
    device_key_file: OptionalPath = None
    """Ed25519 key (PEM) that signs each request; with ``outbox.suite`` gm an SM2 key."""
    receipts_key_file: OptionalPath = None
    """Ed25519 public key (PEM) that verifies the authority's daily lists of receipts; None: they are not asked for."""
    device_id: Word = "demo-01"
    batch_max: int = Field(default=50, ge=1, le=100)
    timeout_s: float = Field(default=10, ge=1, le=60)
    poll_s: float = Field(default=0.5, ge=0.1, le=60)
    backoff_base_s: float = Field(default=2, ge=0.2, le=60)
    backoff_cap_s: float = Field(default=300, ge=5, le=300)
    first_try_spread_s: float = Field(default=300, ge=0, le=300)
    """After an outage the first try is spread over this time, so that a city's kiosks do not call at once."""


class KeyEncoderSection(Section):
    driver: DriverName = "simulated"


class StaffSection(Section):
    unlock_s: float = Field(default=60, ge=15, le=300)
    pin_tries: int = Field(default=5, ge=3, le=10)
    lockout_s: float = Field(default=300, ge=30, le=3600)
    operators_file: OptionalPath = None
    """TOML with one argon2id hash per clerk; None: a random one-time PIN on the terminal at each start."""


class SandboxSection(Section):
    latency_ms: float = Field(default=50, ge=0, le=10_000)


class Config(Section):
    """Everything in config.toml. Sections that are absent take their defaults."""

    kiosk: KioskSection = KioskSection()
    screen: ScreenSection = ScreenSection()
    camera: CameraSection = CameraSection()
    credentials: CredentialsSection = CredentialsSection()
    gateway: GatewaySection = GatewaySection()
    reservations: ReservationsSection = ReservationsSection()
    face: FaceSection = FaceSection()
    outbox: OutboxSection = OutboxSection()
    reporting: ReportingSection = ReportingSection()
    key_encoder: KeyEncoderSection = KeyEncoderSection()
    staff: StaffSection = StaffSection()
    sandbox: SandboxSection = SandboxSection()
