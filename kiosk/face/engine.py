"""The four nets, loaded once for each process, and what they say of one picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from kiosk.face import NETS, photos, pictures, quality
from kiosk.face.detect import Detector, Face, Image
from kiosk.face.match import ALIGNED_PX, Matcher, Template
from kiosk.face.pad import Pad
from kiosk.model import Reason
from kiosk.weights import cache

_CLOSER_PX = 960
_LOUD = 2
"""OpenCV's log level for errors: a note that it prints at each load would look like a fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One usable face in one picture."""

    face: Face
    aligned: Image = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The face that a guest claims to have."""

    template: Template = field(repr=False)
    photo: bytes = field(repr=False)
    """JPEG for the record."""

    def wipe(self) -> None:
        """Overwrite the template."""
        self.template.fill(0.0)


class FaceEngine:
    """Not for two threads at once. Keeps nothing of what it sees."""

    def __init__(self, detector: Detector, matcher: Matcher, pad: Pad, model_version: str) -> None:
        self.detector = detector
        self.matcher = matcher
        self.pad = pad
        self.model_version = model_version
        """Names every net with the first digits of its hash: what the record says decided."""

    @staticmethod
    def load() -> FaceEngine:
        """Load and warm up the nets; about 0.4 s. Raises ModelsMissing."""
        files: dict[str, Path] = {name: cache.path(name) for name in NETS}
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(_LOUD)
        try:
            engine = FaceEngine(
                Detector(files["yunet"]),
                Matcher(files["sface"]),
                Pad(files["minifasnet_v2"], files["minifasnet_v1se"]),
                "+".join(f"{name}-{cache.models()[name].sha256[:8]}" for name in NETS),
            )
            engine._warm_up()
        finally:
            cv2.utils.logging.setLogLevel(level)
        return engine

    def _warm_up(self) -> None:
        """The first run of a net costs several times a later one."""
        frame = np.zeros((720, 1280, 3), np.uint8)
        self.detector.find(frame)
        self.matcher.template(np.full((ALIGNED_PX, ALIGNED_PX, 3), 128, np.uint8))
        self.pad.score(frame, Face(np.array([500, 200, 200, 240, *[0.0] * 10, 1], np.float32)))

    def look(self, frame: Image, *, centred: bool = True) -> Seen | Reason:
        """Detect, and judge the frame's quality; about 5 ms. ``centred``: see ``quality.placed_badly``."""
        face = quality.one_face(self.detector.find(frame))
        if isinstance(face, Reason):
            return face
        reason = quality.placed_badly(face, frame.shape, centred=centred)
        if reason is not None:
            return reason
        aligned = self.matcher.align(frame, face)
        return quality.lit_or_held_badly(aligned) or Seen(face, aligned)

    def reference(self, data: bytes) -> Reference | Reason:
        """Read a portrait: 60×75 px are enough. NO_PORTRAIT unless it is a picture of exactly one face."""
        picture = pictures.decode(data)
        if not isinstance(picture, pictures.Picture):
            return Reason.NO_PORTRAIT
        return self.reference_of(picture.image)

    def reference_of(self, image: Image) -> Reference | Reason:
        """As ``reference``, for a picture that is already decoded; about 50 ms."""
        face = quality.one_face(self.faces_of_still(image))
        if isinstance(face, Reason):
            return Reason.NO_PORTRAIT
        return Reference(self.matcher.template(self.matcher.align(image, face)), photos.jpeg(image))

    def faces_of_still(self, image: Image) -> list[Face]:
        """Find the faces of a picture that nobody aimed: where there seem to be none, look closer (40 ms)."""
        return self.detector.find(image) or self.detector.find(image, _CLOSER_PX)
