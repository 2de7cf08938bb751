"""A list for QML: rows of code, label and value."""

from __future__ import annotations

from typing import TypeAlias

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtQml import QmlElement
from typing_extensions import override

from ui.screen.uncreatable import QmlUncreatable

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1

Row: TypeAlias = tuple[str, str, str]
"""(code, label, value)"""
_ROLES = ("code", "label", "value")
_TOP = QModelIndex()


@QmlElement
@QmlUncreatable("made by its view-model")
class Rows(QAbstractListModel):
    """Rows of three strings. Replaced as a whole; nothing of the rows before is kept."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()

    def replace(self, rows: tuple[Row, ...]) -> None:
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _TOP) -> int:
        return 0 if parent.isValid() else len(self._rows)

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        place = role - Qt.ItemDataRole.UserRole
        if not index.isValid() or not 0 <= place < len(_ROLES):
            return None
        return self._rows[index.row()][place]

    @override
    def roleNames(self) -> dict[int, QByteArray]:
        return {Qt.ItemDataRole.UserRole + place: QByteArray(name.encode()) for place, name in enumerate(_ROLES)}
