"""Seals and opens the parts of a registration for one hotel, with this kiosk's key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kiosk.errors import ContractError
from kiosk.model import Registration
from offline_queue.keys import KioskKey
from offline_queue.rows import Event
from offline_queue.sealing import PHOTO_KINDS, TEXT, Place, SealedPart, seal, unseal
from offline_queue.store import Store


@dataclass(frozen=True, slots=True)
class Vault:
    """Any thread may seal; opening reads the store, so it happens on the owner thread."""

    hotel: str
    key: KioskKey

    def seal(self, record_id: UUID, registration: Registration) -> tuple[SealedPart, ...]:
        """Seal text and photos, each as its own part. Raises ContractError for photos the record cannot carry."""
        parts = {TEXT: registration.text}
        for photo in registration.photos:
            if photo.kind not in PHOTO_KINDS or photo.kind in parts:
                raise ContractError("outbox: a record carries at most one photo of each kind, id and live")
            parts[photo.kind] = photo.jpeg
        places = ((Place(record_id, registration.revision, registration.op, part, self.hotel), part) for part in parts)
        return tuple(seal(parts[part], place, self.key) for place, part in places)

    def open(self, store: Store, event: Event) -> dict[str, bytes | None]:
        """Open every part that still has a key; None stands for one that cannot be opened."""
        return {part.part: unseal(part, self._place(event, part.part), self.key) for part in store.parts(event)}

    def open_text(self, store: Store, event: Event) -> bytes | None:
        """Open the record's text; None when it is purged or cannot be opened."""
        for part in store.parts(event):
            if part.part == TEXT:
                return unseal(part, self._place(event, TEXT), self.key)
        return None

    def _place(self, event: Event, part: str) -> Place:
        return Place(event.record_id, event.revision, event.op, part, self.hotel)
