"""Which presented code is new. A phone still held up after an answer is not presented again."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import ClassVar

from kiosk.checkin.events import CodeRead, CodeRefused
from kiosk.model import Refusal, ScannedCode


@dataclass(slots=True)
class Presentations:
    """Keyed hashes of codes that were answered already; nothing that could be turned back into a code.

    Owned by the runner's thread. The key is new for each process.
    """

    LOOK_AGAIN_S: ClassVar[float] = 2.0
    """How long after a left-over code the scanner looks again."""
    LEFT_OVER_S: ClassVar[float] = 8.0
    """How long after a visit its code, still held up, does not begin another one."""

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _answered: set[bytes] = field(default_factory=set, repr=False)
    _left: dict[bytes, float] = field(default_factory=dict, repr=False)

    def is_left_over(self, payload: bytes, now: float) -> bool:
        """Say whether this code was answered already, in this visit or just before it."""
        digest = self._digest(payload)
        self._left = {code: until for code, until in self._left.items() if until > now}
        return digest in self._answered or digest in self._left

    def take(self, answer: ScannedCode | Refusal, payload: bytes) -> CodeRead | CodeRefused:
        """Turn what the formats say of a new presentation into an event."""
        if isinstance(answer, Refusal):
            self._answered.add(self._digest(payload))
            return CodeRefused(answer.reason)
        return CodeRead(answer)

    def resolving(self, payload: bytes) -> None:
        """Remember the code that is being resolved: after a refusal the guest must show another."""
        self._answered.add(self._digest(payload))

    def clear(self) -> None:
        """The guest, or staff, went back: the same code may be presented again."""
        self._answered.clear()

    def forget(self, now: float) -> None:
        """End of a visit."""
        self._left = dict.fromkeys(self._answered, now + self.LEFT_OVER_S)
        self._answered.clear()

    def _digest(self, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, key=self._key, digest_size=16).digest()
