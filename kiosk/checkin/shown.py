"""What the runner tells the screen: the state, whose turn it belongs to, and what works now."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.checkin.flow import Ticket
from kiosk.checkin.states import State


@dataclass(frozen=True, slots=True)
class Offers:
    """What works now, per capability: said on the welcome screen, before the touch."""

    codes: bool = True
    """Camera and decoders are up."""
    face: bool = True
    """Nets are loaded and the house's policy allows the face step."""
    online: bool = True
    """The identity gateway answers; without it only offline-verifiable codes work."""
    keys: bool = True
    """The key encoder is ready."""
    records: bool = True
    """There is room to keep records. Without it no visit begins here; one under way is finished."""

    @property
    def begin(self) -> bool:
        """A visit can begin at this kiosk."""
        return self.codes and self.records


@dataclass(frozen=True, slots=True)
class Shown:
    """One moment of a visit as the guest sees it. Every touch carries ``ticket`` back."""

    ticket: Ticket
    state: State
    referral_no: str = ""
    """Three digits to say at the desk; empty unless staff are needed."""
    idle_warning_s: int | None = None
    """Seconds left while "are you still here?" is up, else None."""
    offers: Offers = Offers()
