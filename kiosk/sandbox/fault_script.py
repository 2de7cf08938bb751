"""Faults as text: one a line, as the command line takes them; and seeded mixtures.

# what goes wrong in this hour
police_latency ms=300 jitter_ms=200
police_outage at_s=10 for_s=60
police_drop path=/v1/batches rate=0.1 seed=7
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.sandbox.faults import Option

RATES: Mapping[str, float] = {
    "police_cut": 0.02,
    "police_drop": 0.03,
    "police_truncated": 0.02,
    "police_gbk": 0.01,
    "police_nonsense": 0.01,
    "police_error": 0.03,
    "police_busy": 0.02,
    "police_maintenance": 0.01,
    "police_expire_token": 0.02,
    "police_defer": 0.03,
    "police_wrong_hash": 0.01,
    "police_partial": 0.05,
    "police_twice": 0.05,
    "police_out_of_order": 0.1,
    "police_foreign": 0.02,
}
"""What a bad week has of each. None of these loses a record or has a person decide: everything arrives in the end."""

_EXTRA: Mapping[str, Mapping[str, Option]] = {
    "police_busy": {"retry_after_s": 1},
    "police_maintenance": {"retry_after_s": 1},
    "police_expire_token": {"times": 1_000_000},
    "police_defer": {"times": 1_000_000},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One fault and its options."""

    kind: str
    options: Mapping[str, Option]


def read(script: str) -> list[Line]:
    """Read a script; empty lines and those that begin with ``#`` say nothing. Raises ValueError naming the line."""
    lines: list[Line] = []
    for number, text in enumerate(script.splitlines(), 1):
        words = text.split("#", 1)[0].split()
        if not words:
            continue
        try:
            lines.append(Line(words[0], dict(option(word) for word in words[1:])))
        except ValueError as exc:
            raise ValueError(f"line {number}: {exc}") from exc
    return lines


def mix(seed: int, rates: Mapping[str, float] | None = None, scale: float = 1.0) -> list[Line]:
    """Return a mixture: each kind hits its share of what it can hit, and the same ones for the same seed.

    Args:
        seed: Any whole number.
        rates: Kind → share, 0 to 1, instead of ``RATES``.
        scale: Multiplies each share.
    """
    chosen = RATES if rates is None else rates
    return [
        Line(kind, {**_EXTRA.get(kind, {}), "rate": min(rate * scale, 1.0), "seed": seed})
        for kind, rate in chosen.items()
    ]


def option(word: str) -> tuple[str, Option]:
    """Read ``NAME=VALUE``. Raises ValueError."""
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"{word!r}: an option is NAME=VALUE")
    if value in ("true", "false"):
        return name, value == "true"
    try:
        return name, float(value) if "." in value else int(value)
    except ValueError:
        return name, value
