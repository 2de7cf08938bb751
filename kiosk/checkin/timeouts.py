"""How long each state may last, and whose turn it is while it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from kiosk.checkin.states import (
    Capturing,
    Done,
    FetchingPortrait,
    IssuingKey,
    LookingUp,
    Resolving,
    Saving,
    StaffNeeded,
    State,
    Welcome,
)
from kiosk.config import FaceSection, GatewaySection, ReservationsSection, ScreenSection


class Turn(Enum):
    """Who is to act."""

    NOBODY = auto()
    GUEST = auto()
    """After the budget: a warning, then Expired."""
    KIOSK = auto()
    """After the budget: TimedOut."""
    READING = auto()
    """After the budget: Expired, without a warning."""


@dataclass(frozen=True, slots=True)
class Budget:
    """``seconds`` is None where a state lasts for ever."""

    turn: Turn
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """One kiosk's budgets, in seconds."""

    idle: float = 60.0
    result: float = 60.0
    resolving: float = 20.0
    looking_up: float = 12.0
    portrait: float = 12.0
    capturing: float = 25.0
    saving: float = 10.0
    key: float = 15.0
    referral: float = 900.0

    @classmethod
    def of(
        cls, screen: ScreenSection, gateway: GatewaySection, hotel: ReservationsSection, face: FaceSection
    ) -> Budgets:
        """Derive the budgets of the kiosk's turns from the time-outs of what it waits for."""
        return cls(
            idle=screen.idle_s,
            result=screen.result_s,
            resolving=gateway.timeout_s * 4,
            looking_up=hotel.timeout_s * 2 + 2,
            portrait=gateway.timeout_s * 2 + 2,
            capturing=face.attempt_s * 2,
        )

    def of_state(self, state: State) -> Budget:
        """Return whose turn ``state`` is and for how long."""
        match state:
            case Welcome():
                return Budget(Turn.NOBODY, None)
            case Resolving():
                return Budget(Turn.KIOSK, self.resolving)
            case LookingUp():
                return Budget(Turn.KIOSK, self.looking_up)
            case FetchingPortrait():
                return Budget(Turn.KIOSK, self.portrait)
            case Capturing():
                return Budget(Turn.KIOSK, self.capturing)
            case Saving():
                return Budget(Turn.KIOSK, self.saving)
            case IssuingKey():
                return Budget(Turn.KIOSK, self.key)
            case Done():
                return Budget(Turn.READING, self.result)
            case StaffNeeded():
                return Budget(Turn.READING, self.referral)
            case _:
                return Budget(Turn.GUEST, self.idle)
