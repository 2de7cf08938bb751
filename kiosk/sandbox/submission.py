"""A batch of records as it comes to the sandbox's police endpoint, parsed as far as it takes to answer about it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from kiosk.sandbox.messages import BadRequest
from kiosk.sandbox.receiver import Receiver

MAX_TEXT_BYTES = 16_384
MAX_REVISION = 1_000_000


@dataclass(frozen=True, slots=True)
class Submission:
    """One item of a batch."""

    record_id: str
    revision: int
    content_hash: str
    """SHA-256 of the record's exact bytes, in lower-case hexadecimal."""
    text: str = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    photos: Mapping[str, bytes] = field(repr=False)
    previous_receipt: str = ""
    supersedes: int | None = None
    """It stands for every revision from this one on up to its own: those never come."""
    opened: Mapping[str, Any] | None = field(default=None, repr=False)
    """The guest, if it came sealed and could be opened."""
    pictures: tuple[bytes, ...] | None = field(default=None, repr=False)
    """The photos, if they came sealed; empty bytes for one that could not be opened."""

    @property
    def guest(self) -> Mapping[str, Any]:
        """The part about the guest; empty if there is none, or none that can be read."""
        guest = self.record.get("guest") if self.opened is None else self.opened
        return guest if isinstance(guest, dict) else {}

    @property
    def op(self) -> str:
        """The operation; empty if it is none."""
        op = self.record.get("op")
        return op if isinstance(op, str) else ""

    @property
    def photo_list(self) -> list[Mapping[str, Any]]:
        """The photos that the record names."""
        photos = self.record.get("photos")
        return [photo for photo in photos if isinstance(photo, dict)] if isinstance(photos, list) else []


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where the sender's own hash chain stood when it made up a batch."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it came."""

    id: str
    items: Sequence[Submission]
    head: ChainHead | None = None


def parse(item: object, receiver: Receiver | None = None) -> Submission:
    """Read one item of a batch. Raises BadRequest E400 for what cannot even be answered about, E13 for too large."""
    if not isinstance(item, dict) or not isinstance(item.get("record"), str):
        raise BadRequest("an item wants a record as a JSON text")
    text, photos = item["record"], item.get("photos", {})
    if not isinstance(photos, dict):
        raise BadRequest("photos must map a SHA-256 to base64")
    try:
        exact = text.encode()
        record = json.loads(text)
        record_id, revision = str(UUID(record["recordId"])), record["revision"]
        come = {str(name): base64.b64decode(value, validate=True) for name, value in photos.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error) as exc:
        raise BadRequest("a record is no JSON object with recordId and revision, or a photo no base64") from exc
    if not isinstance(revision, int) or isinstance(revision, bool) or not 1 <= revision <= MAX_REVISION:
        raise BadRequest(f"revision must be 1 to {MAX_REVISION}")
    if len(exact) > MAX_TEXT_BYTES:
        raise BadRequest("a record is too large", "E13", 413)
    content_hash, previous = hashlib.sha256(exact).hexdigest(), str(item.get("prevReceipt", ""))
    replaced = _supersedes(item.get("supersedes"), revision)
    sub = Submission(record_id, revision, content_hash, text, record, come, previous, replaced)
    return sub if receiver is None or "sealedGuest" not in record else _opened(sub, receiver)


def _supersedes(value: object, revision: int) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < revision:
        raise BadRequest("supersedes must name an earlier revision")
    return value


def _opened(sub: Submission, receiver: Receiver) -> Submission:
    named = {str(photo.get("sha256")): photo for photo in sub.photo_list}
    pictures = (receiver.photo(sub.record, named.get(name, {}), sealed) or b"" for name, sealed in sub.photos.items())
    return replace(sub, opened=receiver.guest(sub.record), pictures=tuple(pictures))
