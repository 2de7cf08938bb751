"""What must hold between keys, and between keys and the files they name.

Each rule is a function of the settings that yields faults; nothing is changed, nothing is opened but to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from kiosk.config import production
from kiosk.config.faults import Fault
from kiosk.config.keys import ENDPOINTS, fault, path_of, value_of
from kiosk.config.sections import DOUBT_FLOOR, Config

DRIVER_FOLDERS = {
    "camera.driver": "drivers/camera",
    "key_encoder.driver": "drivers/key_encoder",
    "reservations.driver": "kiosk/reservations",
    "reporting.endpoint": "offline_queue/endpoints",
}
"""The folder whose files are the values of a key."""


class Rule(NamedTuple):
    """A rule is left out while one of the keys it compares is at fault by itself."""

    compares: tuple[str, ...]
    faults: Callable[[Config, Path], Iterator[Fault]]


def broken(config: Config, root: Path, faulty: set[str]) -> list[Fault]:
    """Return every fault of every rule, but for keys in ``faulty``, which are known to be wrong already.

    Args:
        config: With absolute paths.
        root: The folder below which ``DRIVER_FOLDERS`` lie.
        faulty: ``section.key`` or ``section``.
    """
    found: list[Fault] = []
    for rule in RULES:
        if not any(_covered(key, faulty) for key in rule.compares):
            found += [one for one in rule.faults(config, root) if not _covered(one.key, faulty)]
    return found


def available(folder: Path, function: str = "make") -> list[str]:
    """Return the drivers of a device: the files that define ``function``, unlike those they lean on."""
    defines = re.compile(rf"^def {function}\(", re.MULTILINE)
    files = sorted(folder.glob("[a-z]*.py"))
    return [file.stem for file in files if defines.search(file.read_text(encoding="utf-8", errors="replace"))]


def _covered(key: str, faulty: set[str]) -> bool:
    return key in faulty or key.partition(".")[0] in faulty


def _doubt_below_match(config: Config, _root: Path) -> Iterator[Fault]:
    face = config.face
    if face.doubt_threshold > face.similarity_threshold:
        yield fault(
            config,
            "face.doubt_threshold",
            f"{DOUBT_FLOOR:g} to face.similarity_threshold ({face.similarity_threshold})",
            "lower it to that value, or raise face.similarity_threshold",
        )


def _elders_have_longer(config: Config, _root: Path) -> Iterator[Fault]:
    screen = config.screen
    if screen.elder_idle_s < screen.idle_s:
        allowed = f"screen.idle_s ({screen.idle_s:g}) to 900"
        yield fault(config, "screen.elder_idle_s", allowed, "give elder mode at least the time of everybody else")


def _cap_above_base(config: Config, _root: Path) -> Iterator[Fault]:
    reporting = config.reporting
    if reporting.backoff_cap_s < reporting.backoff_base_s:
        allowed = f"reporting.backoff_base_s ({reporting.backoff_base_s:g}) to 300"
        yield fault(config, "reporting.backoff_cap_s", allowed, "raise it, or lower reporting.backoff_base_s")


def _disk_marks_fall(config: Config, _root: Path) -> Iterator[Fault]:
    outbox = config.outbox
    marks = ("disk_warn_mb", outbox.disk_warn_mb), ("disk_staff_mb", outbox.disk_staff_mb)
    for (above, most), (name, mark) in zip(marks, (marks[1], ("disk_refuse_mb", outbox.disk_refuse_mb)), strict=True):
        if mark >= most:
            allowed = f"less than outbox.{above} ({most})"
            yield fault(config, f"outbox.{name}", allowed, f"lower it, or raise outbox.{above}")


def _languages_once(config: Config, _root: Path) -> Iterator[Fault]:
    languages = config.screen.languages
    if len(set(languages)) < len(languages):
        yield fault(config, "screen.languages", "each language once", "remove the repetition")


def _drivers_exist(config: Config, root: Path) -> Iterator[Fault]:
    for key, folder in DRIVER_FOLDERS.items():
        there = available(root / folder)
        if value_of(config, key) not in there:
            allowed = f"one of {', '.join(there)}" if there else f"a file of {folder}"
            yield fault(config, key, allowed, f"write the name of a driver in {folder}, without .py")


def _formats_exist(config: Config, root: Path) -> Iterator[Fault]:
    there = [name for name in available(root / "kiosk" / "credentials", "recognise") if name != "recognise"]
    for name in config.credentials.formats:
        if name not in there:
            allowed = f"a list of {', '.join(there)}" if there else "names of files in kiosk/credentials"
            yield fault(config, "credentials.formats", allowed, f"remove {name}, or correct its spelling")


def _timezone_exists(config: Config, _root: Path) -> Iterator[Fault]:
    try:
        ZoneInfo(config.kiosk.timezone)
    except (ValueError, OSError, LookupError):  # also a folder, a path that leads out, an unknown name
        key, fix = "kiosk.timezone", "write the zone in which the hotel stands, as in Asia/Shanghai"
        yield fault(config, key, "a name of the time zone database", fix)


def _drivers_have_their_files(config: Config, _root: Path) -> Iterator[Fault]:
    if config.reservations.driver == "csv" and config.reservations.csv_path is None:
        fix = "name the file that the hotel's system drops"
        yield fault(config, "reservations.csv_path", "a path, because reservations.driver is csv", fix)
    if config.camera.driver == "video" and config.camera.video_path is None:
        fix = "name a video file or a folder of images"
        yield fault(config, "camera.video_path", "a path, because camera.driver is video", fix)


def _files_exist(config: Config, _root: Path) -> Iterator[Fault]:
    names = [
        f"{section}.{name}" for section in ENDPOINTS for name in ("ca_file", "client_cert_file", "client_key_file")
    ]
    keys = ("reporting.device_key_file", "reporting.receipts_key_file", "outbox.recipient_key_file")
    for key in (*names, *keys, "staff.operators_file"):
        path = path_of(config, key)
        if path is not None and not path.is_file():
            yield fault(config, key, "a file that is there", "put the file there, or correct the path")
    if (folder := config.credentials.issuer_keys_dir) is not None and not folder.is_dir():
        fix = "make the folder and put the issuers' keys there, or correct the path"
        yield fault(config, "credentials.issuer_keys_dir", "a folder that is there", fix)
    if config.camera.driver == "video" and (video := config.camera.video_path) is not None and not video.exists():
        fix = "put the video there, or correct the path"
        yield fault(config, "camera.video_path", "a file or folder that is there", fix)


def _certificates_in_pairs(config: Config, _root: Path) -> Iterator[Fault]:
    for section in ENDPOINTS:
        for one, other in (("client_cert_file", "client_key_file"), ("client_key_file", "client_cert_file")):
            if path_of(config, f"{section}.{one}") is None and path_of(config, f"{section}.{other}") is not None:
                fix = f"name the file that goes with {other}, or remove that"
                yield fault(config, f"{section}.{one}", "a path: certificate and key go together", fix)


def _urls_are_https(config: Config, _root: Path) -> Iterator[Fault]:
    for section in ENDPOINTS:
        url = getattr(config, section).url
        if url and not _is_base_url(url):
            fix = "write the base address that the other side gave; nothing is ever sent in the clear"
            allowed = 'https://HOST[:PORT][/PATH] without user, "?" and "#", or "" for none'
            yield fault(config, f"{section}.url", allowed, fix)


def _demo_is_embedded_or_whole(config: Config, _root: Path) -> Iterator[Fault]:
    """The embedded sandbox plays all three or none."""
    named = [f"{section}.url" for section in ENDPOINTS if getattr(config, section).url]
    if config.kiosk.mode == "production" or not named:
        return
    needed = ["gateway.url", "reporting.url"]
    if config.reservations.driver == "simulated":
        needed.append("reservations.url")
    for key in needed:
        if key not in named:
            allowed = f"an address, because {named[0]} has one"
            yield fault(config, key, allowed, "name all three endpoints, or none for the embedded sandbox")


def _reports_are_signed(config: Config, _root: Path) -> Iterator[Fault]:
    if config.reporting.url and config.reporting.device_key_file is None:
        fix = "name the key (PEM) that was made when the device was activated"
        yield fault(config, "reporting.device_key_file", "a path, because reporting.url is set", fix)


def _gm_signs_by_sm2(config: Config, _root: Path) -> Iterator[Fault]:
    path = config.reporting.device_key_file
    if config.outbox.suite != "gm" or path is None or not path.is_file():
        return
    from kiosk.sm2 import is_sm2  # slow to import, and few kiosks need it here

    if not is_sm2(path.read_bytes()):
        fix = "name an SM2 key (PEM) that the authority knows, or set outbox.suite to intl"
        yield fault(config, "reporting.device_key_file", "an SM2 key, because outbox.suite is gm", fix)


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = url.isascii() and not re.search(r"[\s\\?#@]", url)
    return plain and parts.scheme == "https" and bool(parts.hostname) and port != 0


RULES = (
    Rule(("face.doubt_threshold", "face.similarity_threshold"), _doubt_below_match),
    Rule(("screen.elder_idle_s", "screen.idle_s"), _elders_have_longer),
    Rule(("reporting.backoff_cap_s", "reporting.backoff_base_s"), _cap_above_base),
    Rule(("outbox.disk_warn_mb", "outbox.disk_staff_mb", "outbox.disk_refuse_mb"), _disk_marks_fall),
    Rule((), _languages_once),
    Rule((), _drivers_exist),
    Rule((), _formats_exist),
    Rule((), _timezone_exists),
    Rule(("reservations.driver", "camera.driver"), _drivers_have_their_files),
    Rule((), _files_exist),
    Rule((), _certificates_in_pairs),
    Rule((), _urls_are_https),
    Rule(("kiosk.mode", "gateway.url", "reporting.url", "reservations.url"), _demo_is_embedded_or_whole),
    Rule(("reporting.url",), _reports_are_signed),
    Rule(("outbox.suite", "reporting.device_key_file"), _gm_signs_by_sm2),
    Rule(("kiosk.mode",), production.refused),
)
