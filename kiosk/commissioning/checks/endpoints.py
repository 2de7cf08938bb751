"""The servers that config.toml names: reached over mutual TLS, and the certificates that are used for it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiosk.commissioning import health
from kiosk.commissioning.checks import clock
from kiosk.commissioning.checks.outbox import private
from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.config import Config, TlsFiles
from kiosk.embedded import needs_sandbox

NAMES = {"reporting": "police endpoint", "gateway": "identity gateway", "reservations": "hotel system"}
MEANS = {
    "reporting": "records wait in the outbox",
    "gateway": "only codes that need no network work",
    "reservations": "no booking is found, staff check everybody in",
}
TIMEOUT_S = 5.0
RUNS_OUT = timedelta(days=30)


def findings(config: Config) -> list[Finding]:
    """Ask all servers at once; blocks up to about ten seconds."""
    if needs_sandbox(config):
        meaning = "the embedded sandbox plays it; start and demo bring it up"
        played = [Finding(name, Result.OK, meaning, "", _capability(section)) for section, name in NAMES.items()]
        return [*played[:-1], _bookings(config)] if config.reservations.driver == "csv" else played
    sections = {name: getattr(config, name) for name in NAMES if getattr(config, name).url}
    with ThreadPoolExecutor(len(NAMES)) as pool:
        answers = dict(
            zip(sections, pool.map(lambda one: health.ask(one.url, one, TIMEOUT_S), sections.values()), strict=True)
        )
    found = [_judge(section, answer, config.kiosk.mode) for section, answer in answers.items()]
    for section, tls in sections.items():
        found += certificates(NAMES[section], tls)
    if config.reservations.driver == "csv":
        found.append(_bookings(config))
    server, time = next(
        ((NAMES[section], one.server_time) for section, one in answers.items() if isinstance(one, health.Health)),
        ("servers", None),
    )
    return [*found, *_keys(config), clock.against(server, time, datetime.now(UTC))]


def certificates(name: str, tls: TlsFiles) -> list[Finding]:
    """Tell when a client certificate runs out, or its key can be read by others."""
    from cryptography import x509

    found = []
    if tls.client_cert_file is not None:
        try:
            ends = x509.load_pem_x509_certificate(tls.client_cert_file.read_bytes()).not_valid_after_utc
        except (OSError, ValueError):
            meaning = f"{tls.client_cert_file} is no certificate in PEM"
            return [Finding(f"{name}: certificate", Result.FAIL, meaning, "put the certificate there")]
        left = ends - datetime.now(UTC)
        result = Result.FAIL if left < timedelta() else Result.WARN if left < RUNS_OUT else Result.OK
        step = "" if result is Result.OK else "ask for a new client certificate"
        found.append(Finding(f"{name}: certificate", result, f"valid until {ends:%Y-%m-%d}", step))
    if tls.client_key_file is not None:
        found += _readable_by_others(f"{name}: key", tls.client_key_file)
    return found


def _judge(section: str, answer: health.Health | health.Trouble, mode: str) -> Finding:
    name, capability = NAMES[section], _capability(section)
    if isinstance(answer, health.Trouble):
        return Finding(name, Result.FAIL, f"{answer.what}: {MEANS[section]}", answer.fix, capability)
    if answer.sandbox and mode == "production":
        meaning = "it says that it is a sandbox: no guest would really be reported"
        return Finding(name, Result.FAIL, meaning, f"write the real address into {section}.url", capability)
    plays = ", a sandbox" if answer.sandbox else ""
    return Finding(name, Result.OK, f"answered after {answer.took_s * 1000:.0f} ms{plays}", "", capability)


def _capability(section: str) -> Capability | None:
    return Capability.ONLINE if section == "gateway" else None


def _keys(config: Config) -> list[Finding]:
    reporting = config.reporting
    key = reporting.device_key_file
    found = _readable_by_others("device key", key) if key is not None else []
    if reporting.url and reporting.receipts_key_file is None:
        meaning = "the authority's daily lists are not asked for: a receipt that was taken back is never heard of"
        step = "name its public key in reporting.receipts_key_file"
        found.append(Finding("receipts key", Result.WARN, meaning, step))
    return found


def _readable_by_others(name: str, path: Path) -> list[Finding]:
    try:
        alone = private(path)
    except OSError as exc:
        return [Finding(name, Result.FAIL, f"{path}: {exc.strerror}", "put the key there")]
    if alone:
        return []
    return [Finding(name, Result.WARN, f"others may read {path}", f"chmod 600 {json.dumps(str(path))}")]


def _bookings(config: Config) -> Finding:
    """Read the hotel's file as a check-in would."""
    from kiosk.errors import KioskError
    from kiosk.reservations import csv

    name = NAMES["reservations"]
    try:
        sheet = csv.make(config).sheet()
    except KioskError as exc:
        return Finding(name, Result.FAIL, f"{exc}: {MEANS['reservations']}", "let the hotel's system drop the file")
    seen = f"{len(sheet.bookings)} bookings in the file"
    if sheet.faults:
        meaning = f"{seen}; {len(sheet.faults)} lines cannot be used: {'; '.join(sheet.faults[:3])}"
        return Finding(name, Result.WARN, meaning, "mend these lines, or the export that writes them")
    return Finding(name, Result.OK if sheet.bookings else Result.WARN, seen)
