"""Portraits of the invented people, cut from the two public-domain photos of the model cache.

The boxes were measured by hand once: the sandbox has no face net, as an authority's database has none to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kiosk.errors import ModelsMissing
from kiosk.sandbox.people import ASTRONAUT, HOPPER
from kiosk.weights import cache

if TYPE_CHECKING:
    from numpy.typing import NDArray

GATEWAY_BOXES = {ASTRONAUT: (138, 6, 180, 222), HOPPER: (131, 28, 272, 336)}
"""x, y, width, height of a passport-like cut, px."""
CODE_BOXES = {ASTRONAUT: (168, 36, 114, 142), HOPPER: (160, 80, 208, 260)}
"""A tighter cut: in 60 x 75 pixels every one is needed for the face."""
GATEWAY_PX = (264, 326)
"""A gateway's portrait: the proportions of the 102 x 126 picture of a resident ID card, larger."""
CODE_PX = (60, 75)
"""The portrait within an e-ID QR: what still leaves a code that a camera reads."""
CODE_QUALITY = 5
"""Of WebP: a code of 1,150 characters, whose portrait still matches its photo at 0.75 (at 50: 2,130 and 0.91)."""
JPEG_QUALITY = 85


def gateway_jpeg(photo: str) -> bytes:
    """Return the portrait as a JPEG of at most 30 KB. Raises ModelsMissing."""
    import cv2

    return _encoded(
        ".jpg",
        cv2.resize(_cut(photo, GATEWAY_BOXES), GATEWAY_PX, interpolation=cv2.INTER_AREA),
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
    )


def code_webp(photo: str) -> bytes:
    """Return the portrait as a WebP of some 500 bytes. Raises ModelsMissing."""
    import cv2

    small = cv2.resize(_cut(photo, CODE_BOXES), CODE_PX, interpolation=cv2.INTER_AREA)
    return _encoded(".webp", small, cv2.IMWRITE_WEBP_QUALITY, CODE_QUALITY)


def _cut(photo: str, boxes: Mapping[str, tuple[int, int, int, int]]) -> NDArray[Any]:
    import cv2

    cv2.setNumThreads(1)
    path = cache.path(photo)
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    x, y, width, height = boxes[photo]
    if picture is None or picture.shape[0] < y + height or picture.shape[1] < x + width:
        raise ModelsMissing(f"{path.name}: cannot be read as a picture; run: ./run models install")
    return picture[y : y + height, x : x + width]


def _encoded(suffix: str, picture: NDArray[Any], setting: int, value: int) -> bytes:
    import cv2

    whole, data = cv2.imencode(suffix, picture, [setting, value])
    if not whole:
        raise ValueError(f"OpenCV cannot write {suffix}")
    return data.tobytes()
