"""What can arrive in the runner's inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.ports import VisionReport


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, and the question it answers."""

    event: Event
    ticket: Ticket
    touched: bool = False
    """It came from the guest's hand, so the idle clock starts again."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The guest is there: a touch that is no event, or "I'm still here"."""


@dataclass(frozen=True, slots=True)
class Stretched:
    """The guest has ``factor`` times as long for each question."""

    factor: float


@dataclass(frozen=True, slots=True)
class OffersChanged:
    """What works now has changed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the runner."""


Mail: TypeAlias = Happened | Activity | Stretched | OffersChanged | Stop | VisionReport
