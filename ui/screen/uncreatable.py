"""``QmlUncreatable`` with a type: PySide6's own stub says that it cannot be used as a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from PySide6 import QtQml

Kind = TypeVar("Kind", bound=type[Any])


def QmlUncreatable(reason: str) -> Callable[[Kind], Kind]:
    """Tell QML that a type is only handed to it. The name is what the QML tools look for."""
    return cast(Callable[[Kind], Kind], QtQml.QmlUncreatable(reason))
