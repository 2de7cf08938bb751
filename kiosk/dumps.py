"""A crash must not write a guest's face or number to the disk: no core file, and none through a crash reporter."""

from __future__ import annotations

import ctypes
import resource

_PR_SET_DUMPABLE = 4


def forbid(*, also_debuggers: bool = False) -> None:
    """Forbid dumps of this process's memory; programs that it starts inherit the limit, not the rest.

    A limit of 1 byte is the kernel's sign for "none": a core_pattern that pipes to a reporter heeds no other.

    Args:
        also_debuggers: Close ``/proc/<pid>/mem`` to the user's other processes too, as a lobby needs it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 1 if most == resource.RLIM_INFINITY else min(1, most)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
    if also_debuggers:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
