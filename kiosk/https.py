"""JSON over HTTPS with mutual TLS, for the identity gateway and the hotel's system. Each call is bounded as a whole.

``requests`` bounds each read, not the sum: a server that sends one byte a second would hold a guest for
ever. So each connection keeps a second handle of its socket, and a timer shuts that down when time is up.
No error holds a body, a token or a code: those are personal data.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from kiosk.config import TlsFiles
from kiosk.errors import GatewayNonsense, GatewayUnavailable

MAX_REPLY_BYTES = 1024 * 1024
_UNAVAILABLE = frozenset({401, 403, 407, 408, 421, 425, 429})
"""Statuses, besides 5xx, that say nothing of the request itself: later, or after a repair, it may be answered."""


class _Fault(Enum):
    """Why there was no answer, with the repair."""

    UNREACHABLE = "cannot be reached: check the address and the network"
    TLS = "TLS was refused: check ca_file, the client certificate and the clock"
    TIMEOUT = "did not answer in time"
    CUT = "the connection ended before the reply"
    CUT_SHORT = "the reply was cut short"


_WORTH_ANOTHER_TRY = (_Fault.UNREACHABLE, _Fault.CUT)
"""A kept connection that the server has closed meanwhile looks like this; once a reply began, it was carried out."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes = field(repr=False)


class JsonOverTls:
    """One server. Calls may come from any thread and run side by side, each on a connection of its own.

    Args:
        name: What the server is, for errors: ``identity gateway``.
        url: Base address, https only.
        tls: Files of mutual TLS.
        timeout_s: Most that one call may last, a second try included. Name resolution alone is not bounded by it.
    """

    def __init__(self, name: str, url: str, tls: TlsFiles, timeout_s: float) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._tls = tls
        self._timeout_s = timeout_s
        self._idle: queue.SimpleQueue[_Line] = queue.SimpleQueue()
        self._closed = False

    def post(self, path: str, body: Mapping[str, object], limit_bytes: int = MAX_REPLY_BYTES) -> dict[str, object]:
        """Send an object and return the object of the reply. Raises GatewayUnavailable or GatewayNonsense."""
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return self._object(path, self._call("POST", path, text.encode(), limit_bytes))

    def get(self, path: str) -> dict[str, object]:
        """Return the object at ``path``. Raises GatewayUnavailable or GatewayNonsense."""
        return self._object(path, self._call("GET", path, b"", MAX_REPLY_BYTES))

    def close(self) -> None:
        """Close the idle connections; those at work close when their call ends. Safe to call twice."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _call(self, method: str, path: str, body: bytes, limit_bytes: int) -> _Reply:
        if urlsplit(self._url).scheme != "https":
            raise GatewayUnavailable(f"{self._name}: its url in config.toml must begin with https://")
        until = time.monotonic() + self._timeout_s
        line = self._take()
        answer = line.exchange(method, self._url + path, body, limit_bytes, until)
        if answer in _WORTH_ANOTHER_TRY:
            answer = line.exchange(method, self._url + path, body, limit_bytes, until)
        self._give_back(line)
        if isinstance(answer, _Fault):
            raise GatewayUnavailable(f"{self._name}: {path} at {urlsplit(self._url).netloc} {answer.value}")
        return answer

    def _object(self, path: str, reply: _Reply) -> dict[str, object]:
        if reply.status in _UNAVAILABLE or reply.status >= 500:
            raise GatewayUnavailable(f"{self._name}: {path} answered HTTP {reply.status}")
        if reply.status != 200:
            raise GatewayNonsense(f"{self._name}: {path} answered HTTP {reply.status}, agreed is 200")
        try:
            table = json.loads(reply.body.decode("utf-8"))
        except (ValueError, RecursionError):
            table = None
        if not isinstance(table, dict):  # raised out here, so that no decoder's error keeps the body
            raise GatewayNonsense(f"{self._name}: {path} answered no JSON object in UTF-8, or one too large")
        return table

    def _take(self) -> _Line:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return _Line(self._tls)

    def _give_back(self, line: _Line) -> None:
        self._idle.put(line)
        if self._closed:
            self.close()


class _Line:
    """One keep-alive connection with its session. Used by one thread at a time."""

    def __init__(self, tls: TlsFiles) -> None:
        self.connection: _Connection | None = None
        self._session = requests.Session()
        # Else REQUESTS_CA_BUNDLE in the environment silently replaces our own CA, and a proxy variable our route
        self._session.trust_env = False
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
        self._session.mount("https://", _Adapter(self))
        self._session.verify = str(tls.ca_file) if tls.ca_file else True
        if tls.client_cert_file and tls.client_key_file:
            self._session.cert = (str(tls.client_cert_file), str(tls.client_key_file))

    def exchange(self, method: str, url: str, body: bytes, limit_bytes: int, until: float) -> _Reply | _Fault:
        """Send one request and read the whole reply before ``until`` (``time.monotonic()``). A fault drops the line."""
        left_s = until - time.monotonic()
        if left_s <= 0:
            return _Fault.TIMEOUT
        late = threading.Event()
        timer = threading.Timer(left_s, self._expire, (late,))
        timer.start()
        try:
            answer = self._send(method, url, body, limit_bytes, left_s)
        finally:
            timer.cancel()
            timer.join()
        if isinstance(answer, _Fault):
            self.close()
            return _Fault.TIMEOUT if late.is_set() else answer
        return answer

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        self._session.close()
        self.connection = None

    def _send(self, method: str, url: str, body: bytes, limit_bytes: int, left_s: float) -> _Reply | _Fault:
        headers = {"Content-Type": "application/json; charset=utf-8"} if body else {}
        try:
            response = self._session.request(
                method, url, data=body or None, headers=headers, timeout=left_s, allow_redirects=False, stream=True
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _fault(error)
        with response:
            try:
                return _Reply(response.status_code, _read(response, limit_bytes))
            except (requests.RequestException, HTTPError, OSError, ValueError):
                return _Fault.CUT_SHORT

    def _expire(self, late: threading.Event) -> None:
        late.set()
        connection = self.connection
        if connection is not None:
            connection.cut()


class _Connection(HTTPSConnection):
    """An HTTPS connection that a timer can end from another thread."""

    line: _Line
    _twin: socket.socket | None = None
    """The first handle moves into the TLS socket, which another thread must not touch."""

    def cut(self) -> None:
        """End whatever this connection waits for."""
        twin = self._twin
        if twin is not None:
            with contextlib.suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

    @override
    def close(self) -> None:
        super().close()
        twin, self._twin = self._twin, None
        if twin is not None:
            twin.close()

    @override
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._twin = sock.dup()
        self.line.connection = self
        return sock


class _Adapter(HTTPAdapter):
    """Connects one line with our connection class."""

    def __init__(self, line: _Line) -> None:
        self._connection = type("_LineConnection", (_Connection,), {"line": line})
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pool = type("_LinePool", (HTTPSConnectionPool,), {"ConnectionCls": self._connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}


def _read(response: requests.Response, limit_bytes: int) -> bytes:
    """Read the body up to one byte more than the limit, which is then no JSON any more."""
    parts: list[bytes] = []
    size = 0
    while size <= limit_bytes and (part := response.raw.read1(65_536, decode_content=False)):
        parts.append(part)
        size += len(part)
    if size > limit_bytes:
        return b""
    return b"".join(parts)


def _fault(error: BaseException) -> _Fault:
    """Sort an error by what lies beneath it."""
    if not isinstance(error, requests.RequestException | HTTPError | ValueError):
        return _Fault.TLS  # a certificate file that is not there comes as a bare OSError
    seen: BaseException | None = error
    kinds: list[BaseException] = []
    while seen is not None and seen not in kinds:
        kinds.append(seen)
        seen = seen.__cause__ or seen.__context__
    if any(isinstance(kind, requests.exceptions.SSLError | ssl.CertificateError) for kind in kinds):
        return _Fault.TLS
    if any(isinstance(kind, NewConnectionError | ConnectTimeoutError) for kind in kinds):
        return _Fault.UNREACHABLE
    if any(isinstance(kind, requests.Timeout | TimeoutError) for kind in kinds):
        return _Fault.TIMEOUT
    return _Fault.CUT
