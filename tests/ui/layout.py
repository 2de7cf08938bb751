"""What is wrong with the layout of the screen that is shown now, in words. Sizes in pixels of the scene."""

from __future__ import annotations

from itertools import combinations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtQml import QQmlEngine, QQmlExpression
from PySide6.QtQuick import QQuickItem

from tests.ui.stand import Stand, is_touch, rect_of

SLACK_PX = 1.0
TOUCH_MM = 20.0
GAP_MM = 3.0
FOOT = ("backButton", "helpButton", "languageButton", "contrastButton")
COVERS = ("stillHereButton", "closeSheetButton")
"""Where one of these is seen, what lies below it does not count."""


def faults(stand: Stand) -> list[str]:
    """Return every fault of the screen that is shown."""
    items = _in_front(stand)
    texts = [(item, place) for item in items if _is_text(item) and _shows(item, place := _painted(item))]
    touches = [(item, rect_of(item)) for item in items if is_touch(item) and _shows(item, rect_of(item))]
    panel = rect_of(stand.window.contentItem())
    return [
        *_cut_texts(texts, panel),
        *_overlaps(texts, touches),
        *_small_touches(items, stand.mm),
        *_close_touches(touches, stand.mm),
        *_high_controls(touches, panel),
    ]


def _cut_texts(texts: list[tuple[QQuickItem, QRectF]], panel: QRectF) -> list[str]:
    found = []
    for item, painted in texts:
        words = _words(item)
        if item.property("truncated"):
            found.append(f"cut short: {words}")
        if item.property("contentHeight") > item.height() + SLACK_PX:
            found.append(f"higher than its place: {words}")
        if item.property("contentWidth") > item.width() + SLACK_PX:
            found.append(f"wider than its place: {words}")
        if not _grown(panel).contains(_seen(item, painted)):
            found.append(f"outside the panel: {words}")
        box = _box(item)
        if box is not None and not _grown(rect_of(box)).contains(painted):
            found.append(f"outside its button or note: {words}")
    return found


def _overlaps(texts: list[tuple[QQuickItem, QRectF]], touches: list[tuple[QQuickItem, QRectF]]) -> list[str]:
    found = [
        f"over each other: {_words(one)} and {_words(other)}"
        for (one, here), (other, there) in combinations(texts, 2)
        if _shrunk(_seen(one, here)).intersects(_shrunk(_seen(other, there)))
    ]
    for text, painted in texts:
        found += [
            f"{_words(text)} lies over {item.objectName()}"
            for item, place in touches
            if not _is_inside(text, item) and _shrunk(_seen(text, painted)).intersects(_seen(item, place))
        ]
    return found


def _small_touches(items: list[QQuickItem], mm: float) -> list[str]:
    least = TOUCH_MM * mm - SLACK_PX
    return [
        f"{item.objectName()}: {item.width() / mm:.1f} x {item.height() / mm:.1f} mm"
        for item in items
        if is_touch(item) and min(item.width(), item.height()) < least
    ]


def _close_touches(touches: list[tuple[QQuickItem, QRectF]], mm: float) -> list[str]:
    half = GAP_MM * mm / 2 - SLACK_PX
    found = []
    for (one, here), (other, there) in combinations(touches, 2):
        here, there = _seen(one, here), _seen(other, there)
        if here.adjusted(-half, -half, half, half).intersects(there.adjusted(-half, -half, half, half)):
            found.append(f"less than {GAP_MM} mm between {one.objectName()} and {other.objectName()}")
    return found


def _high_controls(touches: list[tuple[QQuickItem, QRectF]], panel: QRectF) -> list[str]:
    line = panel.height() * 0.4
    return [f"{item.objectName()} is above the lower 60 %" for item, place in touches if place.top() < line - SLACK_PX]


def _in_front(stand: Stand) -> list[QQuickItem]:
    seen = [item for item in stand.items(seen=True) if _opacity(item) > 0]
    for name in COVERS:
        cover = next((item for item in seen if item.objectName() == name), None)
        if cover is not None:
            top = _overlay(cover)
            return [item for item in seen if _is_inside(item, top)]
    return seen


def _overlay(item: QQuickItem) -> QQuickItem:
    """Return the child of the panel that the item belongs to."""
    while True:
        parent = item.parentItem()
        if parent is None or parent.objectName() == "panel":
            return item
        item = parent


def _painted(item: QQuickItem) -> QRectF:
    """Return where the letters are: a text's own box may be wider."""
    place, width = rect_of(item), item.property("contentWidth")
    # PySide cannot convert the enumeration of QQuickText; QML can.
    aligned, _ = QQmlExpression(QQmlEngine.contextForObject(item), item, "horizontalAlignment").evaluate()
    share = {Qt.AlignmentFlag.AlignHCenter.value: 0.5, Qt.AlignmentFlag.AlignRight.value: 1.0}.get(aligned, 0.0)
    left = place.left() + (place.width() - width) * share
    return QRectF(left, place.top(), width, item.property("contentHeight"))


def _seen(item: QQuickItem, place: QRectF) -> QRectF:
    """Return the part of ``place`` that no list cuts off."""
    parent = item.parentItem()
    while parent is not None:
        if parent.clip():
            place = place.intersected(rect_of(parent))
        parent = parent.parentItem()
    return place


def _shows(item: QQuickItem, place: QRectF) -> bool:
    return not _seen(item, place).isEmpty()


def _box(item: QQuickItem) -> QQuickItem | None:
    """Return the button or note that a text stands in."""
    parent = item.parentItem()
    while parent is not None:
        if is_touch(parent) or parent.property("words") is not None:
            return parent
        parent = parent.parentItem()
    return None


def _is_inside(item: QQuickItem, ancestor: QQuickItem) -> bool:
    at: QQuickItem | None = item
    while at is not None:
        if at is ancestor:
            return True
        at = at.parentItem()
    return False


def _opacity(item: QQuickItem) -> float:
    opacity, at = 1.0, item
    while at is not None:
        opacity *= at.opacity()
        at = at.parentItem()
    return opacity


def _is_text(item: QQuickItem) -> bool:
    return item.inherits("QQuickText") and bool(item.property("text"))


def _words(item: QQuickItem) -> str:
    return f"“{item.property('text')}”"


def _grown(place: QRectF) -> QRectF:
    return place.adjusted(-SLACK_PX, -SLACK_PX, SLACK_PX, SLACK_PX)


def _shrunk(place: QRectF) -> QRectF:
    return place.adjusted(SLACK_PX, SLACK_PX, -SLACK_PX, -SLACK_PX)
