"""JSON over HTTPS with mutual TLS, for the identity gateway and the hotel's system. Each call is bounded as a whole.

No error holds a body, a token or a code: those are personal data.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from kiosk.config import TlsFiles
from kiosk.errors import GatewayNonsense, GatewayUnavailable
from kiosk.tls import Cause, HttpReply, Line, NoReply

MAX_REPLY_BYTES = 1024 * 1024
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
_UNAVAILABLE = frozenset({401, 403, 407, 408, 421, 425, 429})
"""Statuses, besides 5xx, that say nothing of the request itself: later, or after a repair, it may be answered."""
_WHY = {
    Cause.UNREACHABLE: "cannot be reached: check the address and the network",
    Cause.TLS: "TLS was refused: check ca_file, the client certificate and the clock",
    Cause.TIMEOUT: "did not answer in time",
    Cause.CUT: "the connection ended before the reply",
}
"""Why there was no answer, with the repair."""
_WORTH_ANOTHER_TRY = (NoReply(Cause.UNREACHABLE), NoReply(Cause.CUT))
"""A kept connection that the server has closed meanwhile looks like this; once a reply began, it was carried out."""


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
        self._idle: queue.SimpleQueue[Line] = queue.SimpleQueue()
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

    def _call(self, method: str, path: str, body: bytes, limit_bytes: int) -> HttpReply:
        if urlsplit(self._url).scheme != "https":
            raise GatewayUnavailable(f"{self._name}: its url in config.toml must begin with https://")
        until = time.monotonic() + self._timeout_s
        line = self._take()
        answer = self._try(line, method, path, body, limit_bytes, until)
        if answer in _WORTH_ANOTHER_TRY:
            answer = self._try(line, method, path, body, limit_bytes, until)
        self._give_back(line)
        if isinstance(answer, NoReply):
            cut_short = answer.begun and answer.cause is not Cause.TIMEOUT
            why = "the reply was cut short" if cut_short else _WHY[answer.cause]
            raise GatewayUnavailable(f"{self._name}: {path} at {urlsplit(self._url).netloc} {why}")
        return answer

    def _try(
        self, line: Line, method: str, path: str, body: bytes, limit_bytes: int, until: float
    ) -> HttpReply | NoReply:
        headers = {**_HEADERS, "Content-Type": "application/json; charset=utf-8"} if body else _HEADERS
        left_s = until - time.monotonic()
        return line.call(method, self._url + path, body, headers, wait_s=left_s, all_s=left_s, most=limit_bytes)

    def _object(self, path: str, reply: HttpReply) -> dict[str, object]:
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

    def _take(self) -> Line:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return Line(self._tls)

    def _give_back(self, line: Line) -> None:
        self._idle.put(line)
        if self._closed:
            self.close()
