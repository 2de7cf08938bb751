"""What shall go wrong, on demand: a board of faults that the servers consult. Everything here can be played again.

A fault is named ``<server>_<effect>``, as ``gateway_timeout``, ``hotel_error`` or ``police_drop``, and is on until it
is cleared. What every fault understands, each narrowing it further:

    path="/v1/batches"   paths that begin so            method="POST"      requests of this method
    record=<recordId>    what names this record         op="RC"            what carries a record of this operation
    after=N              lets N pass first              times=N            ends after N hits
    nth=N                the Nth only, once             rate=0.05 seed=7   so many of them; same seed, same ones
    at_s=S               begins S seconds from now      for_s=S            ends S seconds after its beginning

For an effect on a record, what is counted are records as they are judged; for any other, requests. The command line
takes the same words: ``./run sandbox fault police_drop path=/v1/batches times=1``; a file with a fault a line is a
script, ``./run sandbox script FILE``; ``./run sandbox mix SEED`` puts on a seeded mixture (``fault_script``).

    of a whole server
      outage                                  the port is closed, connections are cut; a fault of its own thread
      unknown_ca                              new connections meet a certificate of another CA
      expired_cert                            new connections meet a certificate that ended yesterday
    before the request is looked at
      latency      ms=1000, jitter_ms=0       wait, then go on
      timeout                                 no answer until the fault is cleared
      error        status=500, code="E<status>"         refused; of a whole batch with status=422 method=POST
      busy         retry_after_s=1, http_date=False     429, Retry-After in either form
      maintenance  retry_after_s=1            503 with code E503
      capacity     per_s=50, status=503, retry_after_s=1     what is more than so many in a second is refused
      nonsense                                200 with a hotel Wi-Fi page
      cut                                     the connection ends, nothing was done
    after the request was carried out
      drop                                    the reply is lost
      truncated                               half of the JSON, then the connection ends
      gbk                                     the JSON in GBK, with a Chinese word in it
      drip         bytes_per_s=20             the reply comes byte by byte
      huge         mb=100                     a reply that has no end worth reading
    the police endpoint as a whole
      expire_token                            every token is void from this request on (default: once)
      clock_skew   s=600                      the server's clock is off; E107 and a token's reply say its time
      disable_device                          403 with code E103
      expire_licence                          every new record is refused with EAA
      window       in_s=60, lasts_s=60        maintenance, announced in /v1/limits; 503 and Retry-After while it lasts
      new_tables   version="sandbox-2", add_room="", drop_room=""     a new code table; E308 for a device's records
                                              until it has fetched a table of the new version
    a record, when it is judged
      reject       code="E22"                 a rule stricter than the schema
      warn         code="E304"                accepted with a warning
      defer        times=1                    DEFERRED first, judged at the next look
      slow         s=1                        its batch waits so much longer in the queue
      reject_later code="E301"                accepted, and rejected when it is asked for again
      wrong_hash                              a result that does not echo the record's hash
      partial                                 the result of one record of the batch is missing until asked again
    the answers of the police endpoint about records
      twice                                   a batch's results, each told twice
      out_of_order                            a batch's results in another order
      foreign                                 a result of a record that the kiosk never sent among them
      swapped                                 two records of a batch bear each other's receipt number
      forget                                  404 for a record that it has
    the daily list of receipts
      list_omits                              the day's last receipt (or that of ``record``) is not in it
      list_adds                               a receipt of a record that nobody sent is in it
      list_other_hash                         the last entry (or that of ``record``) names other content
      list_unchained                          a link of the hash chain does not hold
      list_unsigned                           the signature is of another list
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

SERVERS = ("gateway", "police", "hotel")
BEFORE = frozenset({"latency", "timeout", "error", "busy", "maintenance", "capacity", "nonsense", "cut"})
AFTER = frozenset({"drop", "truncated", "gbk", "drip", "huge"})
TRANSPORT = BEFORE | AFTER | {"unknown_ca", "expired_cert", "outage"}
RECORD = frozenset({"reject", "warn", "defer", "slow", "reject_later", "wrong_hash", "partial"})
TOLD = frozenset({"twice", "out_of_order", "foreign", "swapped"})
LIST = frozenset({"list_omits", "list_adds", "list_other_hash", "list_unchained", "list_unsigned"})
STANDING = LIST | {"clock_skew", "disable_device", "expire_licence", "window", "new_tables", "forget"}
"""States of the police endpoint, not events: they are looked at, never used up."""
POLICE_ONLY = RECORD | TOLD | STANDING | {"expire_token"}

Option = str | int | float | bool

_ONCE = frozenset({"expire_token", "defer"})
_OPTIONS: Mapping[str, frozenset[str]] = {
    "latency": frozenset({"ms", "jitter_ms"}),
    "error": frozenset({"status", "code"}),
    "busy": frozenset({"retry_after_s", "http_date"}),
    "maintenance": frozenset({"retry_after_s", "http_date"}),
    "capacity": frozenset({"per_s", "status", "retry_after_s", "http_date"}),
    "drip": frozenset({"bytes_per_s"}),
    "huge": frozenset({"mb"}),
    "clock_skew": frozenset({"s"}),
    "window": frozenset({"in_s", "lasts_s"}),
    "new_tables": frozenset({"version", "add_room", "drop_room"}),
    "reject": frozenset({"code"}),
    "warn": frozenset({"code"}),
    "slow": frozenset({"s"}),
    "reject_later": frozenset({"code"}),
}


@dataclass(slots=True)
class Fault:
    """One fault on the board. ``left`` None: until cleared."""

    server: str
    effect: str
    path: str = ""
    method: str = ""
    record: str = ""
    op: str = ""
    left: int | None = None
    after: int = 0
    rate: float = 1.0
    seed: int = 0
    begins: float = 0.0
    ends: float = float("inf")
    """Monotonic seconds."""
    options: Mapping[str, Option] = field(default_factory=dict)
    cleared: threading.Event = field(default_factory=threading.Event)
    """Set when the fault leaves the board, so that a request held by it can end."""
    since: float = 0.0
    """Unix seconds at which it begins: what is announced, such as a window, counts from here."""
    drawn: int = 0
    served: deque[float] = field(default_factory=deque)
    """When the requests of the last second came, for ``capacity``."""

    @property
    def kind(self) -> str:
        """Its name on the board."""
        return f"{self.server}_{self.effect}"

    def number(self, name: str, default: float) -> float:
        """Return an option as a number."""
        return float(self.options.get(name, default))

    def text(self, name: str, default: str) -> str:
        """Return an option as text."""
        return str(self.options.get(name, default))

    def on(self, now: float) -> bool:
        """Say whether its time is now, in monotonic seconds."""
        return self.begins <= now < self.ends

    def meets(self, path: str, method: str, body: bytes) -> bool:
        """Say whether it is meant for this request, or for this record's text as ``body``."""
        if not path.startswith(self.path) or (self.method and method != self.method):
            return False
        if self.record and self.record not in path and self.record.encode() not in body:
            return False
        return not self.op or re.search(rb'\\?"op\\?":\s*\\?"' + self.op.encode() + rb'\\?"', body) is not None

    def draw(self) -> bool:
        """Draw by the seed whether it hits this time: the n-th draw of a seed is always the same."""
        self.drawn += 1
        lot = hashlib.sha256(f"{self.seed}|{self.kind}|{self.drawn}".encode()).digest()
        return int.from_bytes(lot[:8], "big") < self.rate * 2**64

    def full(self) -> bool:
        """Say whether this request is more than ``per_s`` allow; if it is not, it is served and counts."""
        now = time.monotonic()
        while self.served and self.served[0] <= now - 1:
            self.served.popleft()
        if len(self.served) >= self.number("per_s", 50):
            return True
        self.served.append(now)
        return False


class FaultBoard:
    """The faults that are on now. Called from every connection's thread, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, kind: str, **options: Option) -> Fault:
        """Put a fault on the board. Raises ValueError for a kind or an option that does not exist."""
        fault = made(kind, **options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self, kind: str = "") -> None:
        """Take every fault (of this kind) off the board and let go the requests that one of them holds."""
        with self._lock:
            gone = [fault for fault in self._faults if kind in ("", fault.kind)]
            self._faults = [fault for fault in self._faults if fault not in gone]
        for fault in gone:
            fault.cleared.set()

    def kinds(self) -> list[str]:
        """Return the names of what is on the board, in the order it came."""
        with self._lock:
            return [fault.kind for fault in self._faults]

    def take(
        self, server: str, path: str, effects: frozenset[str], *, method: str = "", body: bytes = b""
    ) -> tuple[Fault, ...]:
        """Return the faults that hit this request or this record's text, and count them."""
        if not self._faults:
            return ()
        now = time.monotonic()
        with self._lock:
            mine = [fault for fault in self._faults if fault.server == server and fault.effect in effects]
            hit = [f for f in mine if f.on(now) and f.meets(path, method, body) and self._counts(f)]
            self._faults = [fault for fault in self._faults if fault.left != 0]
        return tuple(hit)

    def standing(self, server: str, effect: str) -> Fault | None:
        """Return a fault that is a state of the endpoint, without counting it."""
        return next(iter(self.every(server, effect)), None)

    def every(self, server: str, effect: str) -> list[Fault]:
        """Return all that are such a state of the endpoint, without counting them."""
        if not self._faults:
            return []
        now = time.monotonic()
        with self._lock:
            return [f for f in self._faults if f.server == server and f.effect == effect and f.on(now)]

    @staticmethod
    def _counts(fault: Fault) -> bool:
        if fault.rate < 1 and not fault.draw():
            return False
        if fault.effect == "capacity" and not fault.full():
            return False
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.left is not None:
            fault.left -= 1
        return True


def made(kind: str, **options: Option) -> Fault:
    """Make a fault from its name and options. Raises ValueError for what does not exist."""
    server, _, effect = kind.partition("_")
    known = TRANSPORT | (POLICE_ONLY if server == "police" else frozenset())
    if server not in SERVERS or effect not in known:
        raise ValueError(f"no such fault: {kind!r}; gateway_, police_ or hotel_ and one of {sorted(known)}")
    times = options.pop("times", 1 if effect in _ONCE or "nth" in options else None)
    at_s = float(options.pop("at_s", 0))
    begins = time.monotonic() + at_s
    fault = Fault(
        server,
        effect,
        path=str(options.pop("path", "")),
        method=str(options.pop("method", "")).upper(),
        record=str(options.pop("record", "")),
        op=str(options.pop("op", "")),
        left=None if times is None else int(times),
        after=max(int(options.pop("after", 0)), int(options.pop("nth", 1)) - 1),
        rate=float(options.pop("rate", 1)),
        seed=int(options.pop("seed", 0)),
        begins=begins,
        ends=begins + float(options.pop("for_s", "inf")),
        options=options,
        since=time.time() + at_s,
    )
    if unknown := sorted(set(options) - _OPTIONS.get(effect, frozenset())):
        raise ValueError(f"{kind}: no option {', '.join(unknown)}; see kiosk/sandbox/faults.py")
    return fault
