"""The one place where another thread meets Qt: frozen values in, queued signals out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from kiosk.checkin.shown import Shown
    from kiosk.staff.sheet import SheetState


class Bridge(QObject):
    """Carries frozen values from any thread to the GUI thread, in order. Every call returns at once."""

    _shown = Signal(object)
    _sheet = Signal(object)
    _leave = Signal()

    def __init__(
        self,
        show: Callable[[Shown], None],
        show_sheet: Callable[[SheetState], None],
        leave: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._show, self._show_sheet, self._do_leave = show, show_sheet, leave
        # Bound methods of a QObject, so that a queued call lands on the thread this object lives in.
        self._shown.connect(self._on_shown, Qt.ConnectionType.QueuedConnection)
        self._sheet.connect(self._on_sheet, Qt.ConnectionType.QueuedConnection)
        self._leave.connect(self._on_leave, Qt.ConnectionType.QueuedConnection)

    def show(self, shown: Shown) -> None:
        """From any thread."""
        self._shown.emit(shown)

    def show_sheet(self, sheet: SheetState) -> None:
        """From any thread."""
        self._sheet.emit(sheet)

    def leave(self) -> None:
        """From any thread."""
        self._leave.emit()

    def _on_shown(self, shown: Shown) -> None:
        self._show(shown)

    def _on_sheet(self, sheet: SheetState) -> None:
        self._show_sheet(sheet)

    def _on_leave(self) -> None:
        self._do_leave()
