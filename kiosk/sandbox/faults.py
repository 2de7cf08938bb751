"""What shall go wrong, on demand: a board of faults that the servers consult. No fault is drawn by chance here.

A fault is named ``<server>_<effect>``, for example ``gateway_timeout`` or ``police_drop``. It holds until it is
cleared, or for ``times`` requests; ``after`` lets that many requests pass first; ``path`` narrows it to paths
that begin so. The effects and their options:

    before the request is looked at
      latency      ms=1000, jitter_ms=0       wait, then go on
      timeout                                 no answer until the fault is cleared
      error        status=500                 a plain server error
      busy         retry_after_s=1, http_date=False     429, Retry-After in either form
      maintenance  retry_after_s=1            503 with code E503
      nonsense                                200 with a hotel Wi-Fi page
      cut                                     the connection ends, nothing was done
      unknown_ca                              new connections meet a certificate of another CA; until cleared
    after the request was carried out
      drop                                    the reply is lost
      truncated                               half of the JSON, then the connection ends
      gbk                                     the JSON in GBK, with a Chinese word in it
      drip         bytes_per_s=20             the reply comes byte by byte
      huge         mb=100                     a reply that has no end worth reading
    inside the police endpoint
      expire_token                            every token is void from this request on (default: once)
      clock_skew   s=600                      the server's clock is off
      disable_device                          403 with code E103
      reject       code="E22"                 a rule stricter than the schema, when the record is processed;
                                              code="E308" is a code table that changed
      warn         code="E304"                accepted with a warning
      defer        times=1                    DEFERRED first, judged at the next look
      reject_later code="E301"                accepted, and rejected when it is asked for again
      wrong_hash                              a result that does not echo the record's hash
      partial                                 the result of one record of the batch is missing until asked again
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

SERVERS = ("gateway", "police", "hotel")
BEFORE = frozenset({"latency", "timeout", "error", "busy", "maintenance", "nonsense", "cut"})
AFTER = frozenset({"drop", "truncated", "gbk", "drip", "huge"})
TRANSPORT = BEFORE | AFTER | {"unknown_ca"}
RECORD = frozenset({"reject", "warn", "defer", "reject_later", "wrong_hash", "partial"})
STANDING = frozenset({"clock_skew", "disable_device", "unknown_ca"})
"""Effects that are a state of the endpoint, not an event: they are looked at, never used up."""
POLICE_ONLY = RECORD | (STANDING - TRANSPORT) | {"expire_token"}

Option = str | int | float | bool


@dataclass(slots=True)
class Fault:
    """One fault on the board. ``left`` None: until cleared."""

    server: str
    effect: str
    path: str = ""
    left: int | None = None
    after: int = 0
    options: Mapping[str, Option] = field(default_factory=dict)
    cleared: threading.Event = field(default_factory=threading.Event)
    """Set when the fault leaves the board, so that a request held by it can end."""

    def number(self, name: str, default: float) -> float:
        """Return an option as a number."""
        return float(self.options.get(name, default))

    def text(self, name: str, default: str) -> str:
        """Return an option as text."""
        return str(self.options.get(name, default))


class FaultBoard:
    """The faults that are on now. Called from every connection's thread, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, kind: str, **options: Option) -> None:
        """Put a fault on the board. Raises ValueError for a kind that does not exist."""
        server, _, effect = kind.partition("_")
        known = TRANSPORT | (POLICE_ONLY if server == "police" else frozenset())
        if server not in SERVERS or effect not in known:
            raise ValueError(f"no such fault: {kind!r}; gateway_, police_ or hotel_ and one of {sorted(known)}")
        times = options.pop("times", 1 if effect in {"expire_token", "defer"} else None)
        fault = Fault(
            server,
            effect,
            path=str(options.pop("path", "")),
            left=None if times is None else int(times),
            after=int(options.pop("after", 0)),
            options=options,
        )
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Take every fault off the board and let go the requests that one of them holds."""
        with self._lock:
            gone, self._faults = self._faults, []
        for fault in gone:
            fault.cleared.set()

    def take(self, server: str, path: str, effects: frozenset[str]) -> tuple[Fault, ...]:
        """Return the faults that hit this request, and count them."""
        with self._lock:
            hit = [f for f in self._faults if f.server == server and f.effect in effects and path.startswith(f.path)]
            now = [fault for fault in hit if self._counts(fault)]
            self._faults = [fault for fault in self._faults if fault.left != 0]
        return tuple(now)

    def standing(self, server: str, effect: str) -> Fault | None:
        """Return a fault that is a state of the endpoint, without counting it."""
        with self._lock:
            return next((f for f in self._faults if f.server == server and f.effect == effect), None)

    @staticmethod
    def _counts(fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.left is not None:
            fault.left -= 1
        return True
