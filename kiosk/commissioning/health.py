"""Asks a server whether it is well, and says in an installer's words what stands between."""

from __future__ import annotations

import json
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from kiosk.config import TlsFiles

PATH = "/v1/health"
LONGEST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Health:
    """The server answered over TLS that both sides trust."""

    took_s: float
    server_time: datetime | None
    sandbox: bool
    """It says itself that it only plays the real one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """It did not, and why."""

    what: str
    fix: str


def ask(url: str, tls: TlsFiles, timeout_s: float) -> Health | Trouble:
    """``GET /v1/health``. Blocks for a few times ``timeout_s`` at most; no proxy or CA of the environment is used."""
    parts = urlsplit(url)
    try:
        context = _context(tls)
    except (OSError, ValueError) as exc:  # SSLError is an OSError
        return Trouble(
            f"the certificates cannot be used ({_reason(exc)})", "correct ca_file, client_cert_file, client_key_file"
        )
    connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)
    began = time.monotonic()
    try:
        connection.request("GET", parts.path.rstrip("/") + PATH, headers={"Accept": "application/json"})
        reply = connection.getresponse()
        return _judge(reply, _read(reply, began + timeout_s), time.monotonic() - began)
    except (OSError, HTTPException, ValueError) as exc:
        return _trouble(exc, tls)
    finally:
        connection.close()


def _context(tls: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    if tls.client_cert_file and tls.client_key_file:
        context.load_cert_chain(tls.client_cert_file, tls.client_key_file, password=_no_password)
    return context


def _no_password() -> str:
    raise ValueError("the key file has a password")


def _read(reply: HTTPResponse, until: float) -> bytes:
    body = b""
    while (part := reply.read1(LONGEST_BYTES)) and len(body) <= LONGEST_BYTES:
        body += part
        if time.monotonic() > until:
            raise TimeoutError
    return body


def _judge(reply: HTTPResponse, body: bytes, took_s: float) -> Health | Trouble:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if reply.status != 200 or not isinstance(told, dict):
        return Trouble(
            f"it answered HTTP {reply.status}, but not as agreed", "see that the url is right and no portal is between"
        )
    if told.get("status") != "OK":
        return Trouble("it says that it is not well", "ask whoever runs it; the kiosk tries again by itself")
    return Health(took_s, _date(reply.headers.get("Date")), told.get("sandbox") is True)


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def _trouble(error: Exception, tls: TlsFiles) -> Trouble:
    match error:
        case ssl.SSLCertVerificationError():
            return _untrusted(error)
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return Trouble(f"it refuses this kiosk's certificate ({error.reason})", "ask for a new client certificate")
        case ssl.SSLError():
            return Trouble(f"TLS failed ({error.reason})", "see that the url leads to the server itself")
        case socket.gaierror():
            return Trouble("its name is not known", "correct the url, or the network's DNS")
        case TimeoutError():
            return Trouble(
                "it did not answer in time", "see cable, router and firewall; the kiosk tries again by itself"
            )
        case ConnectionRefusedError():
            return Trouble("nothing listens there", "correct the url's port, or start the server")
        case ConnectionError() | HTTPException() if tls.client_cert_file is None:
            return Trouble("it hung up", "it may want a client certificate: name client_cert_file and client_key_file")
        case _:
            return Trouble(f"it cannot be reached ({_reason(error)})", "see cable, router and firewall")


def _untrusted(error: ssl.SSLCertVerificationError) -> Trouble:
    words = error.verify_message
    if "expired" in words or "not yet valid" in words:
        return Trouble(
            f"its certificate is not valid now ({words})", "set the clock; if that is right, the server needs a new one"
        )
    if "match" in words:
        return Trouble(
            f"its certificate is for another name ({words})", "write the host in the url as the certificate has it"
        )
    return Trouble(f"its certificate is not trusted ({words})", "put the authority's certificate into ca_file")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
