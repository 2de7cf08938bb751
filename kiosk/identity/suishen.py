"""Suishen codes: resolved by the gateway in three calls. What it answered is remembered: none counts twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kiosk.config import Config
from kiosk.credentials import resident_id
from kiosk.identity import region
from kiosk.identity.gateway import Gateway, Person
from kiosk.identity.numbers import contradiction
from kiosk.model import Consent, Identity, Reason, Refusal, ScannedCode
from kiosk.state import StateStore

_REFUSALS = {
    "EXPIRED": Reason.CODE_EXPIRED,
    "USED": Reason.CODE_REPLAYED,
    "UNKNOWN": Reason.CODE_UNKNOWN,
    "OUT_OF_REGION": Reason.OUT_OF_REGION,
}


class SuishenResolver:
    """An IdentityResolver. Tokens live only within one call; the code itself is never kept or logged."""

    def __init__(self, config: Config, state: StateStore, now: Callable[[], datetime]) -> None:
        self._gateway = Gateway(config.gateway)
        self._settings = config.credentials
        self._state = state
        self._now = now

    def resolve(self, code: ScannedCode, consent: Consent, visit: int) -> Identity | Refusal:
        """Ask the gateway whose code this is. Raises GatewayUnavailable or GatewayNonsense."""
        now, which = self._now(), str(visit)
        if self._state.is_replay(code.payload, which, now):
            return Refusal(Reason.CODE_REPLAYED)
        scan = self._gateway.scan(code.payload.decode("ascii"), consent, now)
        self._state.remember_code(code.payload, which, now, self._settings.replay_hours)
        if scan.result in _REFUSALS:
            return Refusal(_REFUSALS[scan.result])
        person = self._gateway.person(self._gateway.access_token(scan.token))
        return Refusal(Reason.PERSON_UNKNOWN) if person is None else self._identity(person)

    def portrait(self, identity: Identity, consent: Consent) -> bytes | None:
        """Ask for the portrait that the reply gave a right to. Raises GatewayUnavailable or GatewayNonsense."""
        if identity.portrait_ticket is None:
            return None
        return self._gateway.portrait(identity.portrait_ticket, consent)

    def close(self) -> None:
        """Close the gateway's connections. Safe to call twice."""
        self._gateway.close()

    def _identity(self, person: Person) -> Identity | Refusal:
        number = person.id_number
        if (refusal := contradiction(number)) is not None:
            return refusal
        if not region.is_accepted(person.household_province, self._settings.accepted_provinces):
            return Refusal(Reason.OUT_OF_REGION)
        return Identity(
            source="suishen",
            name=person.name,
            id_number=number,
            birth_date=resident_id.birth_date(number),
            sex=resident_id.sex(number),
            ethnicity=person.ethnicity,
            address=person.address,
            household_province=person.household_province,
            portrait_ticket=person.portrait_ticket,
        )


make = SuishenResolver
