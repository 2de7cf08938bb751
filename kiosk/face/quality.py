"""Is a frame good enough to judge a face by, and if not, what can the guest do about it?

Each test is written so that a value that is no number fails it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from kiosk.face import thresholds as t
from kiosk.face.detect import Face, Image
from kiosk.face.pad import room
from kiosk.model import Reason

_MIDDLE = (slice(16, 96), slice(24, 88))
"""Part of the aligned crop that is skin on nearly everyone: from the forehead to the chin, without hair and ears."""


def one_face(faces: list[Face]) -> Face | Reason:
    """Return the guest's face, or why there is not exactly one. ``faces``: the largest first."""
    if not faces:
        return Reason.NO_FACE
    if len(faces) > 1 and faces[1].width >= t.OTHER_FACE_SHARE * faces[0].width:
        return Reason.TWO_FACES
    return faces[0]


def placed_badly(face: Face, shape: tuple[int, ...], *, centred: bool) -> Reason | None:
    """Distance, place in the frame, pose. ``centred``: False for a picture that nobody aims."""
    height, width = shape[:2]
    if not face.width >= max(t.MIN_FACE_SHARE * max(height, width), t.MIN_FACE_PX):
        return Reason.FACE_TOO_FAR
    if not room(face, shape) >= t.MIN_CONTEXT:
        return Reason.FACE_TOO_NEAR
    across, down = face.middle
    x_off, y_off = abs(across / width - 0.5), abs(down / height - 0.5)
    if centred and not (x_off <= t.MAX_OFF_CENTRE_X and y_off <= t.MAX_OFF_CENTRE_Y):
        return Reason.FACE_OFF_CENTRE
    return Reason.FACE_TURNED if is_turned(face) else None


def is_turned(face: Face) -> bool:
    """Whether the five points say that the head looks aside, up or down, or is tilted."""
    roll, yaw, pitch = pose(face)
    return not (abs(roll) <= t.MAX_ROLL_DEGREES and abs(yaw) <= t.MAX_YAW and t.MIN_PITCH <= pitch <= t.MAX_PITCH)


def pose(face: Face) -> tuple[float, float, float]:
    """Return roll in degrees, yaw and pitch as the ratios that thresholds.py explains."""
    points = face.points.astype(np.float64)
    eyes, nose, mouth = points[:2].mean(0), points[2], points[3:].mean(0)
    across = points[1] - points[0]
    apart = float(np.hypot(*across))
    if apart == 0.0:
        return math.nan, math.nan, math.nan
    sideways = across / apart
    down = np.array([-sideways[1], sideways[0]])
    drop = float((mouth - eyes) @ down)
    pitch = float((nose - eyes) @ down) / drop if drop > 0 else math.nan
    return math.degrees(math.atan2(across[1], across[0])), float((nose - eyes) @ sideways) / apart, pitch


def lit_or_held_badly(aligned: Image) -> Reason | None:
    """Light and sharpness of the face's own crop."""
    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)
    skin = grey[_MIDDLE]
    if not float(skin.mean()) >= t.MIN_LIGHT:
        return Reason.FACE_DARK
    if not float((skin >= t.OVEREXPOSED).mean()) <= t.MAX_OVEREXPOSED:
        return Reason.FACE_BRIGHT
    if not sharpness(aligned) >= t.MIN_SHARPNESS:
        return Reason.FACE_BLURRED
    return None


def sharpness(aligned: Image) -> float:
    """Variance of the Laplacian relative to the variance of the light: the same for a dim and a bright face."""
    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY).astype(np.float32)
    spread = float(grey.var())
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / spread if spread > 0 else 0.0


def rank(face: Face, aligned: Image) -> float:
    """Sort good frames: sharp and frontal ones first."""
    _, yaw, _ = pose(face)
    return sharpness(aligned) * (1.0 - 0.5 * min(1.0, abs(yaw) / t.MAX_YAW))
