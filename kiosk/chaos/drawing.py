"""Where every dice of a run comes from."""

from __future__ import annotations

from random import Random


def drawn(seed: int | str, what: str, number: int | str = "") -> Random:
    """Return dice that fall the same way for the same words, in every process and on every machine."""
    return Random(f"{seed} {what} {number}")  # noqa: S311 - they draw accidents, no keys
