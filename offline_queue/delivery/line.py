"""The line to the authority: open, or held until a moment. Pure: every step returns a new value.

A failure of the line (network, TLS, clock, a busy server) is nobody's fault among the records, so
it is counted here and holds all of them; a failure of one record alone is counted on its event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.config import ReportingSection
from offline_queue.backoff import OUTAGE_S, busy_delay_s, first_try_delay_s, retry_delay_s


@dataclass(frozen=True, slots=True)
class Pace:
    """Settings of the waits, in seconds and records."""

    base_s: float
    cap_s: float
    spread_s: float
    batch_max: int

    @classmethod
    def of(cls, settings: ReportingSection) -> Pace:
        """Return the waits of ``config.reporting``."""
        return cls(settings.backoff_base_s, settings.backoff_cap_s, settings.first_try_spread_s, settings.batch_max)


@dataclass(frozen=True, slots=True)
class Line:
    """Times are ``time.monotonic()`` seconds, so a clock that jumps moves no wait."""

    limit: int
    """Records in the next batch: halved after a failure, doubled after a success."""
    failures: int = 0
    failing_since: float = 0.0
    try_at: float = 0.0
    tried_at: float = 0.0
    asked_to_wait: bool = False
    """The server gave a Retry-After: a wake does not shorten it."""
    breaker: bool = False
    """TLS, route, device or clock: no try can pass until somebody mends it. Probed at the same pace."""
    why: str = ""
    storm: bool = False
    """The kiosk came back together with others, and nothing has passed since."""

    def failed(
        self,
        why: str,
        now: float,
        jitter: float,
        pace: Pace,
        *,
        retry_after_s: float | None = None,
        breaker: bool = False,
    ) -> Line:
        """Hold the line: full jitter, at least what the server asked for."""
        failures = self.failures + 1
        since = self.failing_since if self.failures else now
        wait_s = retry_delay_s(failures, jitter, base_s=pace.base_s, cap_s=pace.cap_s)
        wait_s = max(wait_s, first_try_delay_s(now - since, jitter, spread_s=pace.spread_s))
        if retry_after_s is not None:
            storm = self.storm or now - since > OUTAGE_S
            wait_s = busy_delay_s(retry_after_s, failures, jitter, storm=storm)
        return replace(
            self,
            failures=failures,
            failing_since=since,
            try_at=now + wait_s,
            tried_at=now,
            asked_to_wait=retry_after_s is not None,
            breaker=breaker,
            why=why,
        )

    def passed(self, now: float, pace: Pace) -> Line:
        """An answer came: the line is open, and batches grow again."""
        return Line(limit=min(self.limit * 2, pace.batch_max), tried_at=now)

    def shrunk(self, sent: int) -> Line:
        """Send at most half of what failed, until the guilty record stands alone."""
        return replace(self, limit=max(1, sent // 2))

    def woken(self, now: float, pace: Pace) -> Line:
        """Somebody has news: try soon, but not sooner than one base after the last try.

        After a longer outage the spread holds: a whole city wakes in the same second.
        """
        if self.asked_to_wait or not self.failures or now - self.failing_since > OUTAGE_S:
            return self
        return replace(self, try_at=min(self.try_at, max(now, self.tried_at + pace.base_s)))

    def forced(self, now: float) -> Line:
        """A person asks for a try at once."""
        return replace(self, try_at=now, asked_to_wait=False)

    def started(self, now: float, oldest_unsent_s: float, jitter: float, pace: Pace) -> Line:
        """The kiosk starts with ``oldest_unsent_s`` old records: a power cut may have hit the whole city."""
        wait_s = first_try_delay_s(oldest_unsent_s, jitter, spread_s=pace.spread_s)
        return replace(self, try_at=now + wait_s, storm=oldest_unsent_s > OUTAGE_S)
