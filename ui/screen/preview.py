"""The camera's picture on the screen: drawn when a new frame is there, at most 15 times a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import Property, QObject, QRectF, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPainterPath
from PySide6.QtQml import QmlElement
from PySide6.QtQuick import QQuickItem, QQuickPaintedItem
from typing_extensions import override

from kiosk.frames import HEIGHT_PX, WIDTH_PX
from ui.screen.uncreatable import QmlUncreatable

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1

REPAINT_MS = 66

FrameSource: TypeAlias = Callable[[], "tuple[int, memoryview] | None"]
"""The newest frame and its counter: BGR, 1280 x 720 x 3, borrowed. Never blocks."""


@QmlElement
@QmlUncreatable("made by ui.screen.app")
class Frames(QObject):
    """Hands the newest frame to whoever draws it."""

    def __init__(self, source: FrameSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source

    def latest(self) -> tuple[int, memoryview] | None:
        return self._source()


def crop(item_width: float, item_height: float) -> QRectF:
    """Return the largest centred part of a frame that has the item's proportions, in frame pixels."""
    wanted = item_width / item_height
    if wanted >= WIDTH_PX / HEIGHT_PX:
        height = WIDTH_PX / wanted
        return QRectF(0, (HEIGHT_PX - height) / 2, WIDTH_PX, height)
    width = HEIGHT_PX * wanted
    return QRectF((WIDTH_PX - width) / 2, 0, width, HEIGHT_PX)


@QmlElement
class Preview(QQuickPaintedItem):
    """A mirror: the guest's own movement goes the way it goes in a mirror.

    Draws straight from the shared frame, without a copy. Nothing is painted while it is in no window, and
    nothing is kept: taking it out of its place leaves no pixel of the guest behind.

    Its slots are declared: QML makes it, and signals do not reach what the class did not say before.
    """

    framesChanged = Signal()
    radiusChanged = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._frames: Frames | None = None
        self._radius = 0.0
        self._counter = -1
        self._timer = QTimer(self)
        self._timer.setInterval(REPAINT_MS)
        self._timer.timeout.connect(self._look)
        self.visibleChanged.connect(self._rest_unseen)

    def _get_frames(self) -> Frames | None:
        return self._frames

    def _set_frames(self, frames: Frames | None) -> None:
        if frames is not self._frames:
            self._frames = frames
            self.framesChanged.emit()
            self.update()

    frames = Property(Frames, _get_frames, _set_frames, notify=framesChanged, final=True)

    def _get_radius(self) -> float:
        return self._radius

    def _set_radius(self, radius: float) -> None:
        if radius != self._radius:
            self._radius = radius
            self.radiusChanged.emit()
            self.update()

    radius = Property(float, _get_radius, _set_radius, notify=radiusChanged, final=True)

    @override
    def paint(self, painter: QPainter) -> None:
        """Draw the newest frame, cropped to the item, mirrored, with round corners."""
        newest = self._frames.latest() if self._frames is not None else None
        if newest is None:
            return
        self._counter, pixels = newest
        target = QRectF(0, 0, self.width(), self.height())
        shape = QPainterPath()
        shape.addRoundedRect(target, self._radius, self._radius)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipPath(shape)
        painter.translate(self.width(), 0)
        painter.scale(-1, 1)
        image = QImage(pixels, WIDTH_PX, HEIGHT_PX, WIDTH_PX * 3, QImage.Format.Format_BGR888)
        painter.drawImage(target, image, crop(target.width(), target.height()))

    @Slot()
    def _rest_unseen(self) -> None:
        if self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    @Slot()
    def _look(self) -> None:
        newest = self._frames.latest() if self._frames is not None else None
        if newest is not None and newest[0] != self._counter:
            self.update()
