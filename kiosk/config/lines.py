"""On which line of a TOML file each key stands. tomllib does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str, ...]


def locate(text: str) -> dict[KeyPath, int]:
    """Return the first line, from 1, of every key and table of a file that tomllib has accepted as a whole.

    Read statement by statement: a statement is the fewest lines that are TOML by themselves, so a
    line that looks like a key inside a text or a list is not taken for one.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    statement: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        statement.append(line)
        try:
            parsed = tomllib.loads("\n".join(statement))
        except tomllib.TOMLDecodeError:
            continue
        first = number - len(statement) + 1
        statement = []
        paths = list(_paths(parsed))
        if line.lstrip().startswith("[") and first == number:
            table = paths[-1]
            found.setdefault(table, first)
            continue
        for path in paths:
            found.setdefault(table + path, first)
    return found


def _paths(table: dict[str, Any]) -> Iterator[KeyPath]:
    for key, value in table.items():
        yield (key,)
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value
        if isinstance(inner, dict):
            yield from ((key, *rest) for rest in _paths(inner))
