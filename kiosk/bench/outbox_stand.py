"""An outbox to be measured: the product's own, in a folder of its own, and invented registrations to fill it with."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from kiosk.chaos.records import HOTEL, KIOSK, Guestbook
from kiosk.config import OutboxSection
from kiosk.model import Photo, Registration
from offline_queue.delivery import claims
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Delivered
from offline_queue.store import Store

TEXT_BYTES = 1_000
"""About what a record's text has."""


class Stand:
    """One outbox on disk. ``with`` opens and closes it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.owner = OutboxOwner.open(folder, HOTEL, KIOSK, OutboxSection(ballast_mb=0))

    def __enter__(self) -> Stand:
        return self

    def __exit__(self, *_: object) -> None:
        self.owner.close()

    def claim(self, limit: int) -> list[claims.Claimed]:
        """Take what is due, as the sync thread does."""
        vault, wall = self.owner.vault, time.time()

        def work(store: Store) -> list[claims.Claimed]:
            batch_id = str(uuid.uuid4())
            return claims.claim(store, vault, wall, batch_id=batch_id, limit=limit, max_bytes=1 << 30, cap_s=300)

        return self.owner.call(work)

    def deliver(self, items: Sequence[claims.Claimed]) -> None:
        """Save a receipt for each, in one transaction."""
        receipt = [(item.event, Delivered(uuid.uuid4().hex, "2026-01-01T12:00:00+08:00")) for item in items]
        self.owner.call(
            lambda store: claims.settle(store, receipt, time.time(), poison_attempts=20, wait_s=lambda _: 0.0)
        )


def photos_bytes(record_bytes: int) -> int:
    """Return how large each of two photos is in a record of that size."""
    return max(0, (record_bytes - TEXT_BYTES) // 2)


def registrations(dice: Random, photo_bytes: int) -> Callable[[], Registration]:
    """Return a maker of check-ins of guests whom nobody knows, each with two photos of that size."""
    book = Guestbook(dice, photo_bytes=0)

    def make() -> Registration:
        photos = tuple(
            Photo(kind, b"\xff\xd8\xff" + dice.randbytes(photo_bytes) + b"\xff\xd9") for kind in ("id", "live")
        )
        return book.check_in(photos if photo_bytes else ())

    return make


def wire_bytes(record: Registration) -> bytes:
    """Return what a queue without sealing would hold of a record."""
    return record.text + b"".join(photo.jpeg for photo in record.photos)
