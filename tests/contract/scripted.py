"""A real TLS server on loopback whose replies a test writes itself."""

from __future__ import annotations

from pathlib import Path

from kiosk.config import TlsFiles
from kiosk.sandbox import pki
from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.http import Server, Tls
from kiosk.sandbox.messages import NOT_HERE, Answer, Request


class Scripted:
    """Answers each path with what ``replies`` holds for it, and keeps what was asked."""

    name = "gateway"

    def __init__(self, folder: Path) -> None:
        self.asked: list[Request] = []
        self.replies: dict[str, dict[str, object]] = {}
        keys = pki.make(folder, "demo-01")
        self.tls = TlsFiles(
            ca_file=keys.ca_file, client_cert_file=keys.client_cert_file, client_key_file=keys.client_key_file
        )
        self.server = Server(self, Tls.load(keys), FaultBoard(), 0)
        self.server.open()

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        reply = self.replies.get(request.path)
        return NOT_HERE if reply is None else Answer(200, reply)
