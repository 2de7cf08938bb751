"""A line that fails: a TCP proxy on loopback between a kiosk and its authority, one thread for each connection.

Each connection draws its fault. It knows nothing of TLS or HTTP: it is what a hotel's router does to bytes.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections import Counter
from enum import StrEnum
from random import Random

LOOPBACK = "127.0.0.1"
_CHUNK = 16_384
_TICK_S = 0.05
_HELD_S = 2.5
"""A half-open connection is held this long: longer than the kiosk's time-out in these runs."""
_FAREST_BYTES = 60_000
_DRIP_BYTES, _DRIP_S, _DRIPS = 64, 0.01, 40
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends a reset instead of an end."""


class LineFault(StrEnum):
    """What happens to a connection, after a number of bytes that is drawn, too."""

    NONE = "none"
    DELAY = "delay"
    """Every piece comes late."""
    CUT = "cut"
    """Both ends are closed."""
    HALF_OPEN = "half-open"
    """Nothing goes through any more, and nobody is told."""
    TRUNCATE = "truncate"
    """Half of a piece, then the end."""
    RESET = "reset"
    DRIP = "drip"
    """A few bytes at a time."""
    DEAF = "deaf"
    """The authority's answers are dropped, what the kiosk sends still arrives."""


_WEIGHTS = {
    LineFault.NONE: 6,
    LineFault.DELAY: 3,
    LineFault.CUT: 3,
    LineFault.HALF_OPEN: 1,
    LineFault.TRUNCATE: 3,
    LineFault.RESET: 3,
    LineFault.DRIP: 2,
    LineFault.DEAF: 2,
}


class FaultProxy:
    """Listens from its making to ``close``. Where it leads (``port_beyond``) and ``calm`` may be set at any time."""

    def __init__(self, dice: Random) -> None:
        """Listen on a port of loopback. Raises OSError."""
        self._dice = dice
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self.port_beyond: int | None = None
        """Where the authority listens; None: nowhere, connections are closed."""
        self.calm = False
        """No more faults."""
        self.faults: Counter[LineFault] = Counter()
        self._stopping = threading.Event()
        self._carrying: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept, name="fault proxy")
        self._thread.start()

    def close(self) -> None:
        """End every connection and thread."""
        self._stopping.set()
        self._thread.join()
        for thread in self._carrying:
            thread.join()
        self._listening.close()

    def _accept(self) -> None:
        self._listening.settimeout(_TICK_S)
        while not self._stopping.is_set():
            try:
                near, _ = self._listening.accept()
            except TimeoutError:
                continue
            fault, after = self._drawn()
            self._carrying = [thread for thread in self._carrying if thread.is_alive()]
            thread = threading.Thread(target=self._carry, args=(near, fault, after), name="fault proxy line")
            self._carrying.append(thread)
            thread.start()

    def _drawn(self) -> tuple[LineFault, int]:
        # All dice fall on this thread: the order of connections alone says what they meet
        fault = self._dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        after = int(_FAREST_BYTES ** self._dice.random())
        fault = LineFault.NONE if self.calm else fault
        self.faults[fault] += 1
        return fault, after

    def _carry(self, near: socket.socket, fault: LineFault, after: int) -> None:
        port = self.port_beyond
        with near:
            if port is None:
                return
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), _HELD_S) as far:
                _Carrier(near, far, fault, after, self._stopping).run()


class _Carrier:
    """Two ends and what is between them."""

    def __init__(
        self, near: socket.socket, far: socket.socket, fault: LineFault, after: int, stopping: threading.Event
    ) -> None:
        self._near, self._far, self._fault, self._after = near, far, fault, after
        self._stopping = stopping
        self._carried = 0
        for end in (near, far):
            end.settimeout(_HELD_S)

    def run(self) -> None:
        """Carry until an end closes or the fault ends it. Raises OSError."""
        while not self._stopping.is_set():
            ready, _, _ = select.select([self._near, self._far], [], [], _TICK_S)
            for source in ready:
                data = source.recv(_CHUNK)
                if not data or not self._passed_on(source, data):
                    return

    def _passed_on(self, source: socket.socket, data: bytes) -> bool:
        """Carry a piece; False when the connection is over."""
        sink = self._far if source is self._near else self._near
        self._carried += len(data)
        if self._fault is LineFault.NONE or self._carried < self._after:
            sink.sendall(data)
            return True
        match self._fault:
            case LineFault.DELAY:
                self._stopping.wait(0.05 + (self._after % 400) / 1000)
                sink.sendall(data)
                return True
            case LineFault.DRIP:
                return self._drip(sink, data)
            case LineFault.DEAF:
                if sink is self._far:
                    sink.sendall(data)
                return True
            case LineFault.HALF_OPEN:
                self._stopping.wait(_HELD_S)
            case LineFault.TRUNCATE:
                sink.sendall(data[: len(data) // 2])
            case LineFault.RESET:
                for end in (self._near, self._far):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            case LineFault.CUT:
                pass
        return False

    def _drip(self, sink: socket.socket, data: bytes) -> bool:
        for number in range(_DRIPS):
            piece, data = data[:_DRIP_BYTES], data[_DRIP_BYTES:]
            if not piece or self._stopping.wait(_DRIP_S):
                return not self._stopping.is_set()
            sink.sendall(piece)
            self._carried += number
        sink.sendall(data)
        return True
