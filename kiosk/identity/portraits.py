"""Whether bytes are a portrait that the face step can use: a JPEG or WebP that decodes, of a sane size.

No face function is called here: a picture is only opened.
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.picture_header import PNG, read_header

MAX_BYTES = 200 * 1024
MIN_SIDE_PX, MAX_SIDE_PX = 40, 2000


def usable(data: bytes) -> bool:
    """Say whether ``data`` is such a picture. Its size is read first: none is opened that would fill the memory."""
    if len(data) > MAX_BYTES or data.startswith(PNG):
        return False
    header = read_header(data)
    if header is None or not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in (header.width, header.height)):
        return False
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None
    except cv2.error:
        return False
