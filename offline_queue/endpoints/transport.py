"""The sync thread's line to the endpoint: a call may last as long as its body needs on a slow line."""

from __future__ import annotations

from kiosk.config import TlsFiles
from kiosk.tls import HttpReply, Line, NoReply
from offline_queue.delivery.replies import Fault

MAX_REPLY_BYTES = 4 * 1024 * 1024
_SLOWEST_BYTES_PER_S = 64 * 1024
"""A line slower than this is given up: its batch is halved instead."""


class NoAnswer(Exception):
    """The request ended without a whole answer."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault.value)
        self.fault, self.detail = fault, detail


class MutualTls:
    """One keep-alive connection with mutual TLS. Used by one thread; ``stop`` comes from any."""

    def __init__(self, tls: TlsFiles, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._line = Line(tls)

    def call(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> HttpReply:
        """Send one request and read the whole answer. Raises NoAnswer.

        Blocks for at most the timeout plus what the body needs on the slowest line we accept.
        """
        all_s = self._timeout_s + len(body) / _SLOWEST_BYTES_PER_S
        answer = self._line.call(method, url, body, headers, wait_s=self._timeout_s, all_s=all_s, most=MAX_REPLY_BYTES)
        if isinstance(answer, NoReply):
            raise NoAnswer(Fault(answer.cause.value), answer.detail)
        if answer.too_large:
            raise NoAnswer(Fault.TOO_LARGE)
        return answer

    def stop(self) -> None:
        """Cut the call under way and refuse more."""
        self._line.stop()

    def close(self) -> None:
        """Stop, and close the connection."""
        self._line.stop()
        self._line.close()
