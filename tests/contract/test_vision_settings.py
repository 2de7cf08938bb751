"""What the vision process makes of the settings, and of the two cores it shares with the screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk import vision
from kiosk.config import Config, FaceSection
from kiosk.face.thresholds import Thresholds
from kiosk.face.verifier import Attempt
from kiosk.weights import cache

ROOT = Path(__file__).resolve().parents[2]
SERVE_NOBODY = """
import os, socket
import cv2
from kiosk import vision
from kiosk.frames import Frames
ours, theirs = socket.socketpair()
frames = Frames.create()
cv2.setNumThreads(4)
ours.close()
vision.main([str(os.getppid()), str(theirs.detach()), str(frames.fd)])
print(cv2.getNumThreads())
"""


def test_a_site_s_thresholds_decide_about_its_guests() -> None:
    strict = FaceSection(similarity_threshold=0.6, doubt_threshold=0.5, pad_threshold=0.9, attempt_s=7)
    make_attempt = vision.load_nets(Config(face=strict))
    assert make_attempt is not None
    attempt = make_attempt(cache.path("demo_face_hopper").read_bytes())
    assert isinstance(attempt, Attempt)
    assert attempt._thresholds == Thresholds(similarity=0.6, doubt=0.5, pad=0.9)
    assert attempt._budget_s == 7
    attempt.close()


@pytest.mark.timeout(60)
def test_opencv_takes_one_thread_and_leaves_the_other_core_to_the_screen() -> None:
    command = [sys.executable, "-c", SERVE_NOBODY]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=ROOT, check=True)
    assert ended.stdout == "1\n"
