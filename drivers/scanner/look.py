"""One look for codes over a stream of frames: what is shown, since when, and what would help to read it."""

from __future__ import annotations

import hashlib
import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.scanner.decode import LATER_STEPS, Decoded, read
from drivers.scanner.finders import Eye, find_eyes
from drivers.scanner.hints import hint_for
from drivers.scanner.motion import Motion
from kiosk.model import Hint
from kiosk.ports import CodeHintSeen, CodeSeen

Seen: TypeAlias = CodeSeen | CodeHintSeen

GONE_S = 0.5
"""A symbol not seen for this long has been taken away."""
HINT_AFTER_S = 0.6
"""How long a symbol may stay unread before the guest gets a hint, and a hint stays at least."""
BLIND_STEP_EVERY = 6
"""Without an eye in sight, a later step is still tried on one frame in so many: it may see what we did not."""


class CodeLook:
    """One watch. Each symbol is reported once. Used by one thread."""

    def __init__(self, watch: int) -> None:
        self._watch = watch
        self._motion = Motion()
        self._gray: NDArray[np.uint8] | None = None
        self._reported: set[bytes] = set()
        self._unread_since: float | None = None
        self._evidence_at = float("-inf")
        self._hint: Hint | None = None
        self._hinted_at = float("-inf")
        self._middle: tuple[float, float, float] | None = None
        self._step = 0

    def look(self, frame: NDArray[np.uint8], at: float, since: float | None = None) -> list[Seen]:
        """Look at one frame (BGR). Costs 3 ms, up to 30 ms while a code resists.

        Args:
            frame: Not kept.
            at: Its monotonic time.
            since: Time of the first frame after the last one looked at, if some were let pass: a symbol may
                have been there since then.
        """
        if not self._motion.worth_a_look(frame, at):
            return []
        self._gray = gray = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY, dst=self._gray), np.uint8)
        found, hint, evidence = self._examined(gray, at)
        fresh = [one for one in found if self._is_new(one.payload)]
        if at - self._evidence_at > GONE_S:
            self._unread_since = None
        if evidence:
            self._evidence_at = at
            self._unread_since = (since or at) if self._unread_since is None else self._unread_since
        if found:
            first = self._unread_since if self._unread_since is not None else at
            self._unread_since = None
            return [*self._hinted(None, at), *(CodeSeen(self._watch, one.payload, one.decoder, first) for one in fresh)]
        return self._hinted(hint, at)

    def is_calm(self, at: float) -> bool:
        """Say whether nothing has moved for a while: the caller may let frames pass."""
        return self._motion.is_calm(at)

    def close(self) -> None:
        """Zero the copy of the last frame."""
        if self._gray is not None:
            self._gray[:] = 0

    def _examined(self, gray: NDArray[np.uint8], at: float) -> tuple[list[Decoded], Hint | None, bool]:
        """Return what was read, or the hint and whether there is a symbol at all."""
        if found := read(gray):
            return found, None, any(self._digest(one.payload) not in self._reported for one in found)
        eyes = find_eyes(gray)
        evidence = len(eyes) >= 2
        self._step += 1
        if evidence or self._step % BLIND_STEP_EVERY == 0:
            turn = self._step if evidence else self._step // BLIND_STEP_EVERY
            if found := LATER_STEPS[turn % len(LATER_STEPS)](gray):
                return found, None, True
        return [], hint_for(gray, eyes, self._speed(eyes, at)) if evidence else None, evidence

    def _speed(self, eyes: tuple[Eye, ...], at: float) -> float:
        """Return how fast the middle of the eyes moves, in pixels a second."""
        before, self._middle = self._middle, (eyes[0].x, eyes[0].y, at)
        if before is None or not 0 < at - before[2] < GONE_S:
            return 0.0
        return math.dist(before[:2], self._middle[:2]) / (at - before[2])

    def _is_new(self, payload: bytes) -> bool:
        digest = self._digest(payload)
        if digest in self._reported:
            return False
        self._reported.add(digest)
        return True

    def _hinted(self, hint: Hint | None, at: float) -> list[Seen]:
        """Report a hint that has changed, not before the symbol stayed unread for a while, and not in quick turns."""
        waits = hint is not None and (self._unread_since is None or at - self._unread_since < HINT_AFTER_S)
        if hint is self._hint or waits or (hint is not None and at - self._hinted_at < HINT_AFTER_S):
            return []
        if hint is None and at - self._evidence_at < GONE_S and self._unread_since is not None:
            return []
        self._hint, self._hinted_at = hint, at
        return [CodeHintSeen(self._watch, hint)]

    @staticmethod
    def _digest(payload: bytes) -> bytes:
        return hashlib.blake2b(payload, digest_size=16).digest()
