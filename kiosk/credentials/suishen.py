"""Suishen codes: a URL that is never opened. The host says whose code it is; what follows is opaque."""

from __future__ import annotations

from urllib.parse import urlsplit

from kiosk.config import CredentialsSection
from kiosk.model import Reason, Refusal, ScannedCode

FORMAT = "suishen"
MAX_BYTES = 2048


def recognise(payload: bytes, config: CredentialsSection) -> ScannedCode | Refusal | None:
    """Take an https URL of an allowed host, exactly; another URL is refused, anything else is not ours."""
    if not payload[:8].lower().startswith((b"https://", b"http://")):
        return None
    if len(payload) > MAX_BYTES:
        return Refusal(Reason.CODE_TOO_LARGE)
    if _host(payload) not in config.suishen_hosts:
        return Refusal(Reason.CODE_HOST)
    return ScannedCode(FORMAT, payload)


def _host(payload: bytes) -> str | None:
    """Return all between ``https://`` and the path, with any port or user name: only a bare host is allowed."""
    try:
        text = payload.decode("ascii")
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme == "https" and text.isprintable() else None
