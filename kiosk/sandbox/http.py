"""HTTPS with mutual TLS for one of the sandbox's servers, and the faults that hit its requests.

A thread accepts, and each connection has a thread of its own: as many as a handful of kiosks need.
``close`` closes the listening socket and cuts every connection; ``open`` listens on the same port again.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from kiosk.errors import KioskError
from kiosk.sandbox import mischief
from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.messages import HEALTHY, Answer, App, BadRequest, Request
from kiosk.sandbox.pki import Pki

HANDSHAKE_S = 10.0
LINGER_S = 1.0
HEALTH = "/v1/health"
"""Answered by every server, without token or signature."""
IDLE_S = 300.0
"""A connection without a request for so long is closed."""
MAX_BODY_BYTES = 32 * 1024 * 1024
_FIRST_PORT, _PORTS = 18000, 14000
"""Ports below the range that the kernel gives to clients: a kiosk that calls a closed port can never meet itself."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The server sides of mutual TLS: the genuine one, and by fault the one of a stranger and one that has expired."""

    genuine: ssl.SSLContext
    by_fault: Mapping[str, ssl.SSLContext]

    @classmethod
    def load(cls, pki: Pki, also_trusted: str = "") -> Tls:
        """Read the certificates; each side demands a client certificate of the run's CA, or of another (PEM)."""
        tls = cls.for_strangers(pki)
        for context in (tls.genuine, *tls.by_fault.values()):
            context.load_verify_locations(pki.ca_file, cadata=also_trusted or None)
            context.verify_mode = ssl.CERT_REQUIRED
        return tls

    @classmethod
    def for_strangers(cls, pki: Pki) -> Tls:
        """Read the certificates; nobody needs one of their own."""
        by_fault = {
            "unknown_ca": _context(pki.stranger_cert_file, pki.stranger_key_file),
            "expired_cert": _context(pki.expired_cert_file, pki.server_key_file),
        }
        return cls(_context(pki.server_cert_file, pki.server_key_file), by_fault)

    def now(self, board: FaultBoard, server: str) -> ssl.SSLContext:
        """Return the side that a new connection meets."""
        met = (context for effect, context in self.by_fault.items() if board.standing(server, effect))
        return next(met, self.genuine)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


class Server:
    """One HTTPS server on loopback. ``open`` and ``close`` come from any thread, one after the other."""

    def __init__(self, app: App, tls: Tls, board: FaultBoard, latency_ms: float) -> None:
        """Prepare; nothing listens yet.

        Args:
            app: Answers the requests.
            tls: Server side of mutual TLS.
            board: Faults that are on.
            latency_ms: What each call takes on top of the work, as a line and a distant server would.
        """
        self.app, self.board, self.latency_s = app, board, latency_ms / 1000
        self.port = 0
        self.closing = threading.Event()
        self._tls = tls
        self._listener: socket.socket | None = None
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._acceptor: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Base URL; stays the same over ``close`` and ``open``."""
        return f"https://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen: on a free port the first time, on the same port later. Raises OSError."""
        with self._turn:
            if self._listener is not None:
                return
            self.closing = threading.Event()
            self._listener = _listen(self.port)
            self.port = self._listener.getsockname()[1]
            name = f"{self.app.name}-accept"
            self._acceptor = threading.Thread(target=self._accept, args=(self._listener, self.closing), name=name)
            self._acceptor.daemon = True
            self._acceptor.start()

    def close(self) -> None:
        """Close the listening socket and cut every connection. Safe to call twice."""
        with self._turn:
            listener, self._listener = self._listener, None
            if listener is not None:
                self._end(listener)

    def _end(self, listener: socket.socket) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept, which close alone does not
        listener.close()
        if self._acceptor is not None:
            self._acceptor.join()
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket, closing: threading.Event) -> None:
        while not closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            name = f"{self.app.name}-connection"
            threading.Thread(target=self._serve, args=(connection, closing), name=name, daemon=True).start()

    def _serve(self, connection: socket.socket, closing: threading.Event) -> None:
        try:
            # A second handle stays in the set: the first moves into the TLS socket and cannot be shut from outside
            with connection, contextlib.suppress(OSError), connection.dup() as own:
                own.settimeout(HANDSHAKE_S)
                own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                context = self._tls.now(self.board, self.app.name)
                try:
                    secured = context.wrap_socket(own, server_side=True)
                except ssl.SSLError:
                    _linger(connection)
                    return
                with secured:
                    _Conversation(secured, self, closing)
        finally:
            with self._lock:
                self._connections.discard(connection)


def _linger(connection: socket.socket) -> None:
    """Let a client that was refused read why: closing at once would answer what it still sends with a reset."""
    connection.settimeout(LINGER_S)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass


def _listen(port: int) -> socket.socket:
    tries = [port] if port else [_FIRST_PORT + secrets.randbelow(_PORTS) for _ in range(50)]
    for number, candidate in enumerate(tries, 1):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
            listener.listen(128)
        except OSError:
            listener.close()
            if number == len(tries):
                raise
            continue
        return listener
    raise OSError("no free loopback port")


class _Conversation(BaseHTTPRequestHandler):
    """Requests of one connection, one after the other. Logs nothing."""

    protocol_version = "HTTP/1.1"
    server_version = "suizhu-sandbox"
    sys_version = ""
    timeout = IDLE_S
    wbufsize = -1

    def __init__(self, connection: ssl.SSLSocket, server: Server, closing: threading.Event) -> None:
        self.sandbox, self.closing = server, closing
        super().__init__(connection, connection.getpeername(), server)  # type: ignore[arg-type]  # only kept, never used

    @override
    def log_message(self, *args: object) -> None:
        """Say nothing: a path may name a record, a body a person."""

    def do_GET(self) -> None:
        self._one()

    def do_POST(self) -> None:
        self._one()

    def _one(self) -> None:
        try:
            request = self._read()
            self.send(self._answer(request))
        except BadRequest as bad:  # what follows on this connection cannot be trusted to be a request
            self.close_connection = True
            self.send(bad.answer)
        except mischief.Ended:
            self.close_connection = True

    def _answer(self, request: Request) -> Answer:
        server = self.sandbox
        refused = mischief.before(self, server.board, server.app.name, request)
        if refused is not None:
            return refused
        if server.latency_s and request.path != HEALTH:
            self.closing.wait(server.latency_s)
        try:
            answer = HEALTHY if request.path == HEALTH else server.app.answer(request)
        except BadRequest as bad:
            answer = bad.answer
        except KioskError:
            answer = Answer(500, {"code": "E500", "error": "the sandbox lacks something; it said so at its start"})
        mischief.after(self, server.board, server.app.name, request, answer)
        return answer

    def _read(self) -> Request:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            raise BadRequest("Content-Length is needed", status=411)
        if int(length) > MAX_BODY_BYTES:
            raise BadRequest("body too large", "E13", 413)
        body = self.rfile.read(int(length))
        parts = urlsplit(self.path)
        return Request(self.command, self.path, parts.path, dict(parse_qsl(parts.query)), self.headers, body)

    def send(self, answer: Answer) -> None:
        """Send a JSON answer in one write."""
        body = answer.encoded()
        self.send_head(answer.status, "application/json; charset=utf-8", len(body), answer.headers)
        self.wfile.write(body)
        self.wfile.flush()

    def send_head(self, status: int, kind: str, length: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Queue status line and headers; the body must follow."""
        self.send_response(status, HTTPStatus(status).phrase)
        for name, value in (("Content-Type", kind), ("Content-Length", str(length)), *headers):
            self.send_header(name, value)
        self.end_headers()
