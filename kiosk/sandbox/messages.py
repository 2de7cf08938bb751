"""A request and an answer, as the sandbox's servers see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole."""

    method: str
    target: str
    """Path with query, as sent."""
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the body as an object. Raises BadRequest."""
        try:
            table = json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError) as exc:
            raise BadRequest("body is not JSON in UTF-8") from exc
        if not isinstance(table, dict):
            raise BadRequest("body is not a JSON object")
        return table

    def texts(self, *names: str) -> tuple[str, ...]:
        """Return these fields of the JSON body, each a text of 1 to 4,096 characters. Raises BadRequest."""
        table = self.json()
        for name in names:
            if not isinstance(table.get(name), str) or not 1 <= len(table[name]) <= 4096:
                raise BadRequest(f"field {name} is missing or no text")
        return tuple(table[name] for name in names)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: Mapping[str, object] = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self) -> bytes:
        """Return the body as compact JSON in UTF-8."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


class BadRequest(Exception):
    """The request is refused; the text is sent back and holds no value of it."""

    def __init__(self, what: str, code: str = "E400", status: int = 400, **more: object) -> None:
        super().__init__(what)
        self.answer = Answer(status, {"code": code, "error": what, **more})


class App(Protocol):
    """What a server answers. Called from every connection's thread."""

    name: str
    """As the fault board knows it."""

    def answer(self, request: Request) -> Answer:
        """Carry out one request. May raise BadRequest."""
        ...


HEALTHY = Answer(200, {"status": "OK", "sandbox": True})
NOT_HERE = Answer(404, {"code": "E404", "error": "no such route"})
