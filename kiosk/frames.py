"""Frames in memory that two processes share: three slots without a name, which end with their last process.

The vision process writes, the kiosk reads and wipes. Each frame carries the number of wipes before it, so that a
frame under way while its visit ends is never shown in the next one.
"""

from __future__ import annotations

import mmap
import os

import numpy as np
from numpy.typing import NDArray

WIDTH_PX = 1280
HEIGHT_PX = 720
SLOTS = 3

_FRAME_BYTES = WIDTH_PX * HEIGHT_PX * 3
_HEADER_BYTES = mmap.PAGESIZE
_SHOWN, _COUNT, _WIPES = 0, 1, 2
"""Words of the header: number of the frame to show with the wipes before it, frames written, wipes asked for."""
_QUIET_UNTIL = 3
"""Word of the header: the monotonic time until which the writer may be silent, in seconds."""
_NUMBER_BITS = 40


class Frames:
    """BGR frames of 1280x720. Each word is written by one process only, at once; there is no lock to die with."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._memory = mmap.mmap(fd, _HEADER_BYTES + SLOTS * _FRAME_BYTES)
        self._memory.madvise(mmap.MADV_DONTDUMP)
        self._words = np.frombuffer(self._memory, np.uint64, 8)
        self._times = np.frombuffer(self._memory, np.float64, 8)
        pixels = np.frombuffer(self._memory, np.uint8, SLOTS * _FRAME_BYTES, _HEADER_BYTES)
        self._slots = pixels.reshape(SLOTS, HEIGHT_PX, WIDTH_PX, 3)
        self._wipes = int(self._words[_WIPES])
        self._is_open = True

    @classmethod
    def create(cls) -> Frames:
        """Allocate the memory, all zero. Belongs to the kiosk."""
        fd = os.memfd_create("suizhu-frames", os.MFD_CLOEXEC)
        os.ftruncate(fd, _HEADER_BYTES + SLOTS * _FRAME_BYTES)
        return cls(fd)

    @property
    def fd(self) -> int:
        """What the other process is to inherit."""
        return self._fd

    # -- the kiosk's side

    def latest(self) -> tuple[int, memoryview] | None:
        """Return the newest frame and its number without copying, or None. It is written over after two more."""
        if not self._is_open:
            return None
        shown = int(self._words[_SHOWN])
        number = shown & ((1 << _NUMBER_BITS) - 1)
        if number == 0 or shown >> _NUMBER_BITS != self._wipes:
            return None
        begin = _HEADER_BYTES + number % SLOTS * _FRAME_BYTES
        return number, memoryview(self._memory)[begin : begin + _FRAME_BYTES]

    def wipe(self) -> int:
        """Zero every slot now, whatever the writer does; return the number that the writer is to be told."""
        self._wipes += 1
        self._words[_WIPES] = self._wipes
        self._slots[:] = 0
        return self._wipes

    def is_zero(self) -> bool:
        """Say whether no pixel of any frame is left."""
        return not self._slots.any()

    def silent_for(self, now: float) -> float:
        """Return how long the writer has been silent beyond what it announced, in seconds; below 0 is well."""
        return now - float(self._times[_QUIET_UNTIL])

    # -- the vision process's side

    def next_slot(self) -> NDArray[np.uint8]:
        """Return where the next frame goes."""
        return np.asarray(self._slots[(int(self._words[_COUNT]) + 1) % SLOTS], np.uint8)

    def publish(self) -> None:
        """Show what was written into the last ``next_slot``."""
        number = int(self._words[_COUNT]) + 1
        self._words[_COUNT] = number
        self._words[_SHOWN] = (self._wipes << _NUMBER_BITS) | number

    def withdraw(self) -> None:
        """Show nothing until the next frame."""
        self._words[_SHOWN] = 0

    def wiped(self, wipes: int) -> None:
        """Follow a wipe: zero what may have been written meanwhile."""
        self.withdraw()
        self._wipes = wipes
        self._slots[:] = 0

    def may_be_silent(self, until: float) -> None:
        """Announce a sign of life before the monotonic time ``until``."""
        self._times[_QUIET_UNTIL] = until

    # -- both

    def close(self) -> None:
        """Zero, and show no more. Safe to call twice.

        The memory goes with the last view of it: the screen may be drawing one just now.
        """
        if not self._is_open:
            return
        self._is_open = False
        self._slots[:] = 0
        os.close(self._fd)
