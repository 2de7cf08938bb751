"""What a verb of ``./run queue`` is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.config import Config
from offline_queue.answering.inquiry import Row


@dataclass(frozen=True, slots=True)
class Told:
    """What a verb has to say: as one JSON object, and in words."""

    document: Row
    lines: list[str] = field(default_factory=list)
    status: int = 0
    """Exit status: 1 when the answer is that something is wrong."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its words on the command line, and what it does."""

    name: str
    help: str
    """Its line in the list of verbs."""
    tells: str
    """What ``--help`` says of it."""
    examples: tuple[str, ...]
    """Command lines without ``./run queue``."""
    run: Callable[[argparse.Namespace, Config], Told]
    """Raises KioskError."""
    add: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    """Adds its arguments."""
    alone: Callable[[argparse.Namespace], Told | None] = lambda given: None
    """Answers what needs neither kiosk nor settings; None when that is not asked for."""
