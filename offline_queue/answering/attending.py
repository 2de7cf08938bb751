"""One caller of the control socket: its question is read, bounded in size and time, and answered row by row."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import socket
import threading
import time
from collections.abc import Generator, Iterator

from kiosk.errors import ContractError, KioskError
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import LONG_ASKS, Inquiry, Row

log = logging.getLogger(__name__)

LONGEST_QUESTION_BYTES = 4096
_QUESTION_S = 2.0
"""A caller that does not finish its question in this time is let go."""
_ANSWER_S = 30.0
"""A caller that takes nothing of its answer for this time is let go."""
_SIGN_OF_LIFE_S = 2.0
"""While a long answer has no row yet, the caller is told that it is worked on."""
_AHEAD = 20
"""Rows made before the caller took them: an export's photos must not pile up in memory."""

_Outcome = Row | Exception | None
"""A row, what went wrong, or the end."""


class Attendant:
    """Attends callers, each on a thread of its own; of long answers one at a time."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._long = threading.Lock()
        self._under_way: tuple[str, float] = ("", 0.0)
        """Name and beginning, in monotonic seconds, of the long answer that holds the lock."""

    def attend(self, caller: socket.socket, by: str) -> None:
        """Read the question, answer it. Raises OSError when the caller left or is too slow."""
        line = _read_line(caller, time.monotonic() + _QUESTION_S)
        rows = 0
        try:
            inquiry = Inquiry.from_json(line)
            with contextlib.closing(self._rows(inquiry, by)) as told:
                for row in told:
                    _write(caller, row)
                    rows += "row" in row
        except KioskError as exc:
            _write(caller, {"error": str(exc)})
        except OSError:
            raise
        except Exception as exc:  # the next caller must still be served, and the message may hold a guest's data
            log.error("queue control: a bug: %s", type(exc).__name__)
            _write(caller, {"error": f"outbox: the kiosk failed to answer ({type(exc).__name__}); its log says when"})
        else:
            _write(caller, {"end": rows})

    def _rows(self, inquiry: Inquiry, by: str) -> Generator[Row, None, None]:
        if inquiry.ask in LONG_ASKS:
            yield from self._long_rows(inquiry, by)
        else:
            for row in self._answers.rows(inquiry, by):
                yield {"row": row}

    def _long_rows(self, inquiry: Inquiry, by: str) -> Iterator[Row]:
        """Let a thread of its own work, and tell signs of life until it is done. It ends with a caller that left."""
        if not self._long.acquire(blocking=False):
            name, since = self._under_way
            raise ContractError(
                f"outbox: {name} is under way since {time.monotonic() - since:.0f} s, and there is one at a time; "
                "fix: wait for its end, then ask again"
            )
        self._under_way = (inquiry.ask, time.monotonic())
        outcomes: queue.Queue[_Outcome] = queue.Queue(_AHEAD)
        left = threading.Event()
        work = (self._answers.rows(inquiry, by), outcomes, left)
        threading.Thread(target=self._work, args=work, name=f"queue {inquiry.ask}", daemon=True).start()
        began = time.monotonic()
        try:
            while True:
                try:
                    outcome = outcomes.get(timeout=_SIGN_OF_LIFE_S)
                except queue.Empty:
                    yield {"wait": round(time.monotonic() - began, 1)}
                    continue
                if outcome is None:
                    return
                if isinstance(outcome, Exception):
                    raise outcome
                yield {"row": outcome}
        finally:
            left.set()

    def _work(self, rows: Iterator[Row], outcomes: queue.Queue[_Outcome], left: threading.Event) -> None:
        try:
            for row in rows:
                if not _hand_over(row, outcomes, left):
                    return
            _hand_over(None, outcomes, left)
        except Exception as exc:  # told to the caller by ``attend``
            _hand_over(exc, outcomes, left)
        finally:
            self._long.release()


def _hand_over(outcome: _Outcome, outcomes: queue.Queue[_Outcome], left: threading.Event) -> bool:
    while not left.is_set():
        try:
            outcomes.put(outcome, timeout=0.2)
        except queue.Full:
            continue
        return True
    return False


def _read_line(caller: socket.socket, until: float) -> bytes:
    """Read up to the end of the line. A longer question comes back cut, and is refused as no JSON."""
    line = b""
    while b"\n" not in line and len(line) <= LONGEST_QUESTION_BYTES:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("a caller took too long")
        caller.settimeout(left)
        part = caller.recv(LONGEST_QUESTION_BYTES)
        if not part:
            break
        line += part
    return line.partition(b"\n")[0][:LONGEST_QUESTION_BYTES]


def _write(caller: socket.socket, told: Row) -> None:
    caller.settimeout(_ANSWER_S)
    caller.sendall(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
