"""What the camera would see, for pictures of the screens: a drawn phone, and the demo's face or a drawn one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from kiosk.errors import KioskError
from kiosk.frames import HEIGHT_PX, WIDTH_PX
from kiosk.weights import cache

LOBBY = QColor("#C9C2B4")
WALL = QColor("#B3AB9B")
DARK = QColor("#2A2F36")
MODULES = 25
FACE_PART = QRectF(94, 0, 260, 260)
"""Where the face is in the demo photo, px."""


class Placeholder:
    """A camera that always shows one of two pictures. GUI thread only."""

    def __init__(self) -> None:
        self._phone, self._face = _phone(), _face()
        self._now, self._counter = self._phone, 0

    def hold(self, scene: str) -> None:
        """Show what belongs to a screen: the guest's face while it is captured, else a phone."""
        self._now = self._face if scene.startswith("capture") else self._phone
        self._counter += 1

    def latest(self) -> tuple[int, memoryview]:
        return self._counter, self._now


def _frame() -> QImage:
    image = QImage(WIDTH_PX, HEIGHT_PX, QImage.Format.Format_BGR888)
    image.fill(LOBBY)
    painter = QPainter(image)
    for x in range(0, WIDTH_PX, 320):
        painter.fillRect(x, 0, 8, HEIGHT_PX, WALL)
    painter.fillRect(0, 560, WIDTH_PX, 160, WALL)
    painter.end()
    return image


def _phone() -> memoryview:
    """A phone with something like a code: no reader can read it, so no payload is in any picture."""
    image = _frame()
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(DARK)
    painter.drawRoundedRect(QRectF(470, 60, 340, 640), 36, 36)
    painter.setBrush(QColor("#FFFFFF"))
    painter.drawRoundedRect(QRectF(488, 84, 304, 592), 20, 20)
    painter.setBrush(DARK)
    size = 248 / MODULES
    for row in range(MODULES):
        for column in range(MODULES):
            if (row * 7 + column * 13 + row * column * 5) % 11 < 5:
                painter.drawRect(QRectF(516 + column * size, 236 + row * size, size, size))
    painter.end()
    return _pixels(image)


def _face() -> memoryview:
    try:
        photo = QImage(str(_demo_face()))
    except KioskError:
        photo = QImage()
    image = _frame()
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if photo.isNull():
        _draw_person(painter)
    else:
        painter.drawImage(QRectF(280, 0, 720, 720), photo, FACE_PART)
    painter.end()
    return _pixels(image)


def _demo_face() -> Path:
    return cache.path("demo_face_astronaut")


def _draw_person(painter: QPainter) -> None:
    painter.setPen(QPen(DARK, 8))
    painter.setBrush(QColor("#E8D6C3"))
    shoulders = QPainterPath(QPointF(380, 720))
    shoulders.cubicTo(400, 560, 880, 560, 900, 720)
    painter.drawPath(shoulders)
    painter.drawEllipse(QPointF(640, 350), 150, 200)
    painter.setBrush(DARK)
    for x in (585, 695):
        painter.drawEllipse(QPointF(x, 330), 8, 12)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(580, 390, 120, 70), 200 * 16, 140 * 16)


def _pixels(image: QImage) -> memoryview:
    return memoryview(bytes(image.constBits()))
