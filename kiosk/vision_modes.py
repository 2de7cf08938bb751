"""What the vision process does with a frame: nothing, look for codes, or one attempt at a face.

Only ``LookForFace`` holds anything that can see a face, and it exists only between WatchFace and its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.scanner.look import CodeLook
from kiosk.face.verifier import FaceHint, Looked
from kiosk.model import FaceVerification, Reason, Refusal
from kiosk.ports import FaceDecided, FaceHintSeen, VisionReport

Frame = NDArray[np.uint8]


class Attempt(Protocol):
    """One attempt at a face: kiosk.face.verifier.Attempt."""

    def look(self, frame: Frame, at: float) -> Looked: ...

    def close(self) -> None: ...


class Mode(Protocol):
    """One watch."""

    def look(self, frame: Frame, at: float, since: float) -> Sequence[VisionReport]:
        """Look at one frame (BGR, not to be kept), taken at monotonic ``at``; none was looked at from ``since``."""
        ...

    def is_calm(self, at: float) -> bool:
        """Say whether most frames may be let pass."""
        ...

    def close(self) -> None:
        """Drop and zero what was seen."""
        ...


class LookForCodes:
    """Codes only."""

    def __init__(self, watch: int) -> None:
        self._look = CodeLook(watch)

    def look(self, frame: Frame, at: float, since: float) -> Sequence[VisionReport]:
        return self._look.look(frame, at, since)

    def is_calm(self, at: float) -> bool:
        return self._look.is_calm(at)

    def close(self) -> None:
        self._look.close()


class LookForFace:
    """One attempt. After its end frames are still shown to the guest, but looked at no more."""

    def __init__(self, watch: int, attempt: Attempt | None) -> None:
        self._watch = watch
        self._attempt = attempt
        self._decided = False
        self._hint: Reason | None = None

    def look(self, frame: Frame, at: float, since: float) -> Sequence[VisionReport]:  # noqa: ARG002  a face has no beginning
        if self._decided:
            return ()
        if self._attempt is None:
            return self._end(Refusal(Reason.FACE_UNAVAILABLE))
        looked = self._attempt.look(frame, at)
        if not isinstance(looked, FaceHint):
            return self._end(looked)
        if looked.reason is self._hint:
            return ()
        self._hint = looked.reason
        return (FaceHintSeen(self._watch, looked.reason),)

    def is_calm(self, at: float) -> bool:  # noqa: ARG002  a face is never a still picture
        return False

    def close(self) -> None:
        if self._attempt is not None:
            self._attempt.close()
            self._attempt = None

    def _end(self, outcome: FaceVerification | Refusal) -> Sequence[VisionReport]:
        self._decided = True
        self.close()
        return (FaceDecided(self._watch, outcome),)
