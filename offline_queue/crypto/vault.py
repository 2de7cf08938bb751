"""Seals and opens the parts of a registration for one hotel, with the keys that this kiosk holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from kiosk.config import OutboxSection
from kiosk.errors import ContractError
from kiosk.model import Registration
from offline_queue.crypto import suites
from offline_queue.crypto.recipient import Recipient, load
from offline_queue.crypto.sealing import PHOTO_KINDS, TEXT, Place, SealedPart, seal, unseal
from offline_queue.crypto.suites import Suite, intl
from offline_queue.database.rows import Event
from offline_queue.keys import KioskKey, KioskKeys, hold
from offline_queue.store import Store


@dataclass(frozen=True, slots=True)
class Vault:
    """Any thread may seal; opening reads the store, so it happens on the owner thread."""

    hotel: str
    keys: KioskKeys
    suite: Suite = intl
    """Seals; what is sealed already opens by the suite it was sealed with."""
    recipient: Recipient | None = None
    """Write-only mode: whose key the guest is sealed to before all else."""

    @classmethod
    def unlocked(cls, hotel: str, key_file: Path, settings: OutboxSection, *, make_new: bool) -> Vault:
        """Bring the keys into memory. ``make_new``: there is no outbox yet. Raises OutboxUnavailable, ConfigError."""
        suite = suites.named(settings.suite)
        assert suite is not None  # noqa: S101 - the settings know no other
        recipient = None if settings.recipient_key_file is None else load(settings.recipient_key_file)
        return cls(hotel, hold(key_file, settings.key_store, settings.tpm_tcti, make_new=make_new), suite, recipient)

    @property
    def key(self) -> KioskKey:
        """The key that seals now."""
        return self.keys.newest

    def frozen(self, registration: Registration) -> Registration:
        """Return the registration as it is stored and sent: with ``recipient``, without a readable guest."""
        return registration if self.recipient is None else self.recipient.seal(registration, self.hotel)

    def seal(self, record_id: UUID, registration: Registration) -> tuple[SealedPart, ...]:
        """Seal text and photos, each as its own part. Raises ContractError for photos the record cannot carry."""
        parts = {TEXT: registration.text}
        for photo in registration.photos:
            if photo.kind not in PHOTO_KINDS or photo.kind in parts:
                raise ContractError("outbox: a record carries at most one photo of each kind, id and live")
            parts[photo.kind] = photo.jpeg
        places = ((Place(record_id, registration.revision, registration.op, part, self.hotel), part) for part in parts)
        key = self.key
        return tuple(seal(parts[part], place, key, self.suite) for place, part in places)

    def open(self, store: Store, event: Event) -> dict[str, bytes | None]:
        """Open every part that still has a key; None stands for one that cannot be opened."""
        return {part.part: self.open_part(event, part) for part in store.parts(event)}

    def open_text(self, store: Store, event: Event) -> bytes | None:
        """Open the record's text; None when it is purged or cannot be opened. Its guest may be sealed to another."""
        return next((self.open_part(event, part) for part in store.parts(event) if part.part == TEXT), None)

    def place(self, event: Event, part: str) -> Place:
        return Place(event.record_id, event.revision, event.op, part, self.hotel)

    def open_part(self, event: Event, part: SealedPart) -> bytes | None:
        """Open one part, wherever it was found; None when it does not belong to this place, or no key opens it."""
        key = self.keys.named(part.recipient)
        return None if key is None else unseal(part, self.place(event, part.part), key)
