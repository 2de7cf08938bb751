"""When to try again: full jitter, Retry-After, and the spread after an outage. Pure."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

OUTAGE_S = 60.0
"""An outage longer than this spreads the first try, so that a city's kiosks do not call in one second."""
LONGEST_RETRY_AFTER_S = 3600.0
"""A server that asks for more is asked again after this time: a typing error must not silence a hotel."""

FIRST_POLL_S = 0.05
"""Most batches are judged at once: asking early costs one small request and brings the receipt a poll sooner."""
SLOWEST_POLL_S = 10.0

STORM_S = 80.0
"""Over this time a refused try is spread while a city's kiosks come back at once (measured: ./run bench fleet)."""

ERRAND_SPREAD_S = 3600.0
"""Over this time is spread, after an outage, what is asked beside the records and fell due meanwhile (measured too)."""


def retry_delay_s(failures: int, jitter: float, *, base_s: float, cap_s: float) -> float:
    """Return the wait before the next try, 0 s to ``min(cap_s, base_s * 2**(failures - 1))``.

    Args:
        failures: Tries that failed in a row, 1 or more.
        jitter: A draw from 0..1 ("full jitter", M. Brooker, AWS Architecture Blog, 2015).
        base_s: Ceiling of the first wait.
        cap_s: Ceiling of every wait.
    """
    if failures < 1:
        raise ValueError(f"failures must be 1 or more, got {failures}")
    if not 0.0 <= jitter <= 1.0:
        raise ValueError(f"jitter must be within 0..1, got {jitter}")
    doublings = min(failures - 1, 16)
    ceiling: float = min(cap_s, base_s * 2**doublings)
    return ceiling * jitter


def first_try_delay_s(outage_s: float, jitter: float, *, spread_s: float) -> float:
    """Return the wait before the first try after ``outage_s`` seconds without an answer.

    Nothing after a short one; a draw from 0..spread_s after one longer than ``OUTAGE_S``.
    """
    return spread_s * jitter if outage_s > OUTAGE_S else 0.0


def busy_delay_s(asked_s: float, failures: int, jitter: float, *, storm: bool) -> float:
    """Return the wait after a server that is alive said when to come again: never sooner, and not all at once.

    Args:
        asked_s: Its Retry-After: it tells every kiosk the same second.
        failures: Tries that failed in a row, 1 or more.
        jitter: A draw from 0..1.
        storm: Many kiosks come back together, after an outage or a power cut.
    """
    return asked_s + jitter * (STORM_S if storm else min(STORM_S, 5 * 2.0 ** min(failures, 16)))


def retry_after_s(header: str | None, now: float) -> float | None:
    """Read ``Retry-After`` in either form, seconds or an HTTP date; None when absent or unreadable.

    Args:
        header: The header's value.
        now: Unix time, for the date form.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now), LONGEST_RETRY_AFTER_S)


def poll_delay_s(polls: int, poll_s: float) -> float:
    """Return the wait before asking for a batch's results again.

    Soon at first, doubling up to ``poll_s``, from there growing by half up to ``SLOWEST_POLL_S``.

    Args:
        polls: How often it was asked for already.
        poll_s: ``reporting.poll_s``.
    """
    soon = FIRST_POLL_S * 2.0 ** min(polls, 16)
    if soon < poll_s:
        return soon
    past = polls - max(0, math.ceil(math.log2(poll_s / FIRST_POLL_S)))
    wait_s: float = poll_s * 1.5 ** min(past, 32)
    return min(wait_s, max(poll_s, SLOWEST_POLL_S))
