"""What every HTTPS client of ours stands on: mutual TLS, one bound for the whole call, an end from another thread.

``requests`` bounds each read, not the sum: a server that sends one byte a second would hold its caller
for ever. So each connection keeps a second handle of its socket, and shutting that down ends whatever the
first one is waiting for. Faults come back as values: an exception of ``requests`` carries the body.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from kiosk.config import TlsFiles
from kiosk.tls_causes import Cause as Cause
from kiosk.tls_causes import cause_of, detail_of

_NOTICED_S = 0.1
"""A connect under way notices within this time that it shall end."""
_FAULTS = (requests.RequestException, HTTPError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class NoReply:
    """The call ended without a whole answer."""

    cause: Cause
    begun: bool = False
    """The reply had begun: the other side carried out what was asked."""
    detail: str = field(default="", compare=False)
    """Of TLS: which check failed, in OpenSSL's own fixed words. Never anything that the other side wrote."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    body: bytes = field(repr=False)
    """Empty when it was too large."""
    too_large: bool
    retry_after: str | None


class Line:
    """One keep-alive connection. Used by one thread at a time; ``stop`` comes from any."""

    def __init__(self, tls: TlsFiles) -> None:
        self._cutter = _Cutter()
        self._session = requests.Session()
        # Else REQUESTS_CA_BUNDLE in the environment silently replaces our own CA, and a proxy variable our route
        self._session.trust_env = False
        self._session.mount("https://", _Adapter(self._cutter))
        self._session.mount("http://", _NoPlain())
        self._session.verify = str(tls.ca_file) if tls.ca_file else True
        if tls.client_cert_file and tls.client_key_file:
            self._session.cert = (str(tls.client_cert_file), str(tls.client_key_file))

    def call(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, wait_s: float, all_s: float, most: int
    ) -> HttpReply | NoReply:
        """Send one request and read the whole answer. A fault drops the connection; the next call opens a new one.

        Args:
            method, url, body, headers: The request; what the reply is encoded with is not undone.
            wait_s: Most that one read or the connect may wait.
            all_s: Most that everything together may last. Name resolution alone is not bounded by it.
            most: Bytes of the body that are read.
        """
        if all_s <= 0:
            return NoReply(Cause.TIMEOUT)
        if not self._cutter.begin():
            return NoReply(Cause.CUT)
        late = threading.Event()
        timer = threading.Timer(all_s, self._expire, (late,))
        timer.start()
        try:
            answer = self._exchange(method, url, body, headers, wait_s, most)
        finally:
            timer.cancel()
            timer.join()
        if isinstance(answer, HttpReply) and not answer.too_large:
            return answer
        self.close()
        return NoReply(Cause.TIMEOUT) if isinstance(answer, NoReply) and late.is_set() else answer

    def stop(self) -> None:
        """Cut the call under way and refuse more."""
        self._cutter.stopped = True
        self._cutter.cut()

    def close(self) -> None:
        """Close the connection. Safe to call twice; the next call opens a new one."""
        self._session.close()

    def _exchange(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], wait_s: float, most: int
    ) -> HttpReply | NoReply:
        try:
            response = self._session.request(
                method, url, data=body or None, headers=headers, timeout=wait_s, allow_redirects=False, stream=True
            )
        except _FAULTS as error:
            return NoReply(cause_of(error), detail=detail_of(error))
        with response:
            try:
                read = _read(response, most)
            except _FAULTS as error:
                return NoReply(cause_of(error), begun=True, detail=detail_of(error))
        return HttpReply(response.status_code, read or b"", read is None, response.headers.get("Retry-After"))

    def _expire(self, late: threading.Event) -> None:
        late.set()
        self._cutter.cut()


class _Cutter:
    """Ends the call under way on one line. ``cut`` may come from any thread."""

    def __init__(self) -> None:
        self.stopped = False
        self._ended = False
        self._twin: socket.socket | None = None
        """Second handle of the one connection: the first moves into the TLS socket, which no other thread may touch."""

    def begin(self) -> bool:
        """A call begins; False when there are to be no more."""
        self._ended = False
        return not self.stopped

    def cut(self) -> None:
        """End what is under way. The connection is lost, the line is not."""
        self._ended = True
        twin = self._twin
        if twin is not None:
            with contextlib.suppress(OSError):  # closed meanwhile
                twin.shutdown(socket.SHUT_RDWR)

    def connect(self, address: tuple[str, int], timeout_s: float) -> socket.socket:
        """Connect like ``socket.create_connection``, but within one time for all addresses, and end with a cut."""
        error: OSError | None = None
        until = time.monotonic() + timeout_s
        for family, kind, proto, _, target in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, proto)
            try:
                self._await(sock, target, until)
            except OSError as exc:
                sock.close()
                error = exc
                continue
            return sock
        raise error or OSError("no address")

    def twin(self, sock: socket.socket) -> socket.socket:
        """Return a second handle of a new connection, by which it can be cut."""
        twin = self._twin = sock.dup()
        if self._ended:
            self.cut()
        return twin

    def _await(self, sock: socket.socket, target: Any, until: float) -> None:  # noqa: ANN401 - a socket address
        sock.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            sock.connect(target)
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_WRITE)
            while not selector.select(_NOTICED_S):
                if self._ended or time.monotonic() > until:
                    raise TimeoutError("connect")
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, "connect")


class _Connection(HTTPSConnection):
    """An HTTPS connection that its line's cutter can end."""

    cutter: _Cutter
    _twin: socket.socket | None = None

    @override
    def close(self) -> None:
        super().close()
        twin, self._twin = self._twin, None
        if twin is not None:
            twin.close()

    @override
    def connect(self) -> None:
        try:
            super().connect()
        except BaseException as error:
            _close_half_wrapped(error)
            raise

    @override
    def _new_conn(self) -> socket.socket:
        timeout_s = self.timeout if isinstance(self.timeout, int | float) else 10.0
        try:
            sock = self.cutter.connect((self.host, self.port or 443), timeout_s)
        except TimeoutError as exc:
            raise ConnectTimeoutError(self, "connect") from exc
        except OSError as exc:
            raise NewConnectionError(self, "connect") from exc
        sock.settimeout(timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._twin = self.cutter.twin(sock)
        return sock


class _Adapter(HTTPAdapter):
    """Connects with our connection class."""

    def __init__(self, cutter: _Cutter) -> None:
        self._connection = type("_LineConnection", (_Connection,), {"cutter": cutter})
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pool = type("_LinePool", (HTTPSConnectionPool,), {"ConnectionCls": self._connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}


class _NoPlain(HTTPAdapter):
    """Nothing is ever sent in the clear, whatever the settings say."""

    @override
    def send(self, *_args: Any, **_kwargs: Any) -> requests.Response:
        raise requests.ConnectionError("plain http is refused")


def _close_half_wrapped(error: BaseException) -> None:
    """Python's ssl leaves its socket open when the peer resets it before the handshake: only the frame still has it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        half = frame.f_locals.get("self")
        if isinstance(half, ssl.SSLSocket):
            half.close()


def _read(response: requests.Response, most: int) -> bytes | None:
    """Read the body; None when it is larger."""
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(65_536, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > most:
            return None
    return b"".join(parts)
