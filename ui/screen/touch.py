"""A finger on the scene: real touch events through Qt's own delivery, only where a finger could reach.

GUI thread only. For the demo, the benches, ``./run screens`` and tests.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPointingDevice
from PySide6.QtQuick import QQuickItem, QQuickWindow


def place(window: QQuickWindow, name: str) -> QPointF | None:
    """Return where a finger could press the control with this objectName: seen, enabled, on top. In pixels."""
    item = _reachable(window, name)
    return None if item is None else _centre(item)


def tap(window: QQuickWindow, name: str) -> None:
    """Press and release the control's centre. Raises LookupError when a finger could not, or nothing was pressed."""
    item = _reachable(window, name)
    if item is None:
        raise LookupError(f"no control {name!r} can be touched")
    press(window, _centre(item))
    took = item.property("pressed")
    release(window, _centre(item))
    if took is False:
        raise LookupError(f"the control {name!r} did not take the touch")


def press(window: QQuickWindow, at: QPointF) -> None:
    """Put a finger down on a point of the scene, in pixels."""
    from PySide6.QtTest import QTest  # only those who play a finger pay for it

    sequence = QTest.touchEvent(window, finger(), autoCommit=False)
    sequence.press(0, at.toPoint(), window)
    sequence.commit(processEvents=False)


def release(window: QQuickWindow, at: QPointF) -> None:
    """Lift the finger."""
    from PySide6.QtTest import QTest

    sequence = QTest.touchEvent(window, finger(), autoCommit=False)
    sequence.release(0, at.toPoint(), window)
    sequence.commit(processEvents=False)


def find(window: QQuickWindow, name: str) -> QQuickItem | None:
    """Return the visible control with this objectName, or None."""
    pending = [window.contentItem()]
    while pending:
        item = pending.pop()
        if not item.isVisible():
            continue
        if item.objectName() == name:
            return item
        pending.extend(item.childItems())
    return None


@cache
def finger() -> QPointingDevice:
    """Return the one invented touch screen."""
    from PySide6.QtTest import QTest

    return QTest.createTouchDevice()


def _centre(item: QQuickItem) -> QPointF:
    return item.mapToScene(item.boundingRect().center())


def _reachable(window: QQuickWindow, name: str) -> QQuickItem | None:
    item = find(window, name)
    if item is None or not item.isEnabled():
        return None
    return item if _topmost(window.contentItem(), _centre(item)) is item else None


def _topmost(item: QQuickItem, at: QPointF) -> QQuickItem | None:
    """Return the item that a press at this point of the scene would go to, within ``item``."""
    if not item.isVisible() or not item.isEnabled():
        return None
    within = item.contains(item.mapFromScene(at))
    if item.clip() and not within:
        return None
    for child in reversed(sorted(item.childItems(), key=QQuickItem.z)):  # noqa: C413  of equals, the later lies above
        if (found := _topmost(child, at)) is not None:
            return found
    return item if within and _takes_taps(item) else None


def _takes_taps(item: QQuickItem) -> bool:
    return any(child.inherits("QQuickTapHandler") for child in item.children())
