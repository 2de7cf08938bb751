"""HTTPS whose calls have one time budget for everything, and can be cut from another thread.

``requests`` bounds each read, not the whole: a server that drips one byte a second would hold the
thread for ever, and a stopping kiosk would wait for it. So each connection keeps a second handle
of its socket; shutting that down ends whatever the first one is waiting for.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from kiosk.config import TlsFiles
from offline_queue.replies import Fault

MAX_REPLY_BYTES = 4 * 1024 * 1024
_SLOWEST_BYTES_PER_S = 64 * 1024
"""A line slower than this is given up: its batch is halved instead."""


class NoAnswer(Exception):
    """The request ended without a whole answer."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    body: bytes = field(repr=False)
    retry_after: str | None


class Cutter:
    """Ends the calls under way on one session. ``cut`` may come from any thread."""

    def __init__(self) -> None:
        self.stopped = False
        self._twins: set[socket.socket] = set()

    def connect(self, address: tuple[str, int], timeout_s: float) -> socket.socket:
        """Connect like ``socket.create_connection``, but end within 0.1 s of a cut."""
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

    def register(self, sock: socket.socket) -> None:
        """Keep a second handle of the one connection: the first moves into the TLS socket and cannot be reached."""
        self.forget()
        self._twins.add(sock.dup())

    def forget(self) -> None:
        """The session's connections are closed: drop their handles."""
        while self._twins:
            self._twins.pop().close()

    def cut(self) -> None:
        """End what is under way. The connection is lost, the session is not."""
        for twin in tuple(self._twins):
            with contextlib.suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

    def _await(self, sock: socket.socket, target: Any, until: float) -> None:  # noqa: ANN401 - a socket address
        sock.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            sock.connect(target)
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_WRITE)
            while not selector.select(0.1):
                if self.stopped or time.monotonic() > until:
                    raise TimeoutError("connect")
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, "connect")


class _Connection(HTTPSConnection):
    """An HTTPS connection that its session's Cutter can end."""

    cutter: Cutter

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
        self.cutter.register(sock)
        return sock


class _Adapter(HTTPAdapter):
    """Connects with our connection class."""

    def __init__(self, cutter: Cutter) -> None:
        self._cutter = cutter
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        connection = type("_CuttableConnection", (_Connection,), {"cutter": self._cutter})
        pool = type("_CuttablePool", (HTTPSConnectionPool,), {"ConnectionCls": connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}


class MutualTls:
    """One keep-alive session with mutual TLS. Used by one thread; ``stop`` comes from any."""

    def __init__(self, tls: TlsFiles, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._cutter = Cutter()
        self._session = requests.Session()
        # Else REQUESTS_CA_BUNDLE in the environment silently replaces our own CA, and a proxy variable our route
        self._session.trust_env = False
        self._session.mount("https://", _Adapter(self._cutter))
        self._session.mount("http://", _NoPlain())
        self._session.verify = str(tls.ca_file) if tls.ca_file else True
        if tls.client_cert_file and tls.client_key_file:
            self._session.cert = (str(tls.client_cert_file), str(tls.client_key_file))

    def call(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> HttpReply:
        """Send one request and read the whole answer. Raises NoAnswer.

        Blocks for at most the timeout plus what the body needs on the slowest line we accept.
        """
        if self._cutter.stopped:
            raise NoAnswer(Fault.CUT)
        budget_s = self._timeout_s + len(body) / _SLOWEST_BYTES_PER_S
        late = threading.Event()
        timer = threading.Timer(budget_s, self._expire, (late,))
        timer.start()
        try:
            return self._exchange(method, url, body, headers)
        except (requests.RequestException, HTTPError, OSError, ValueError) as exc:
            self._drop_connections()
            raise NoAnswer(Fault.TIMEOUT if late.is_set() else _fault(exc)) from exc
        finally:
            timer.cancel()
            timer.join()

    def stop(self) -> None:
        """Cut the call under way and refuse more."""
        self._cutter.stopped = True
        self._cutter.cut()

    def close(self) -> None:
        self.stop()
        self._drop_connections()

    def _exchange(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> HttpReply:
        response = self._session.request(
            method, url, data=body or None, headers=headers, timeout=self._timeout_s, allow_redirects=False, stream=True
        )
        with response:
            parts: list[bytes] = []
            size = 0
            while part := response.raw.read1(65_536, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > MAX_REPLY_BYTES:
                    raise requests.ConnectionError("reply too large")
            return HttpReply(response.status_code, b"".join(parts), response.headers.get("Retry-After"))

    def _expire(self, late: threading.Event) -> None:
        late.set()
        self._cutter.cut()

    def _drop_connections(self) -> None:
        self._session.close()
        self._cutter.forget()


class _NoPlain(HTTPAdapter):
    """Nothing is ever sent in the clear, whatever the settings say."""

    @override
    def send(self, *_args: Any, **_kwargs: Any) -> requests.Response:
        raise requests.ConnectionError("plain http is refused")


def _fault(error: BaseException) -> Fault:
    seen: BaseException | None = error
    kinds: list[BaseException] = []
    while seen is not None and seen not in kinds:
        kinds.append(seen)
        seen = seen.__cause__ or seen.__context__
    if any(isinstance(kind, ssl.SSLEOFError | ssl.SSLZeroReturnError) for kind in kinds):
        return Fault.CUT  # the other side ended, which says nothing of certificates
    if any(isinstance(kind, requests.exceptions.SSLError | ssl.CertificateError) for kind in kinds):
        return Fault.TLS
    if any(isinstance(kind, NewConnectionError | ConnectTimeoutError) for kind in kinds):
        return Fault.UNREACHABLE
    if any(isinstance(kind, requests.Timeout | TimeoutError) for kind in kinds):
        return Fault.TIMEOUT
    return Fault.CUT
