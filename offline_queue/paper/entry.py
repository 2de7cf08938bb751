"""One waiting revision as the paper shows it, made of a row that ``taking`` gave. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from offline_queue.answering.inquiry import Row, as_object


@dataclass(frozen=True, slots=True)
class Entry:
    """What an officer is told of one revision. Holds a guest's data: it lives in memory only."""

    record: str
    revision: int
    op: str
    state: str
    answer: str
    due_at: str
    overdue: bool
    content_hash: str
    text: bytes | None = field(repr=False)
    """The exact text; None when it cannot be opened."""
    body: Row = field(repr=False)
    subject: Row = field(repr=False)
    """Whom an operation is about that itself says only what changed."""
    photos: dict[str, bytes] = field(repr=False)
    """``id`` and ``live``: JPEG, or sealed to the recipient."""

    @property
    def guest(self) -> Row:
        """The guest's fields; empty for a sealed or unreadable record."""
        return self.subject | as_object(self.body.get("guest"))

    @property
    def sealed_for(self) -> str:
        """Name of the key that alone can open the guest's part; empty when it is not sealed."""
        return str(as_object(self.body.get("sealedGuest")).get("kid", ""))

    @property
    def pictures(self) -> dict[str, bytes]:
        """The photos that can be looked at: none of a sealed record's."""
        return {} if self.sealed_for else self.photos

    @property
    def stem(self) -> str:
        """Begin of its files' names: names nobody, because names in an archive are readable without its passphrase."""
        return f"{self.record}-r{self.revision}"


def entry_of(row: Row) -> Entry:
    """Make an Entry of a row of an export."""
    text = row.get("text")
    body = as_object(json.loads(text)) if isinstance(text, str) else {}
    photos = as_object(row.get("photos"))
    return Entry(
        record=str(row["record"]),
        revision=int(str(row["revision"])),
        op=str(row["op"]),
        state=str(row["state"]),
        answer=str(row.get("answer") or ""),
        due_at=str(row.get("due_at") or ""),
        overdue=row.get("overdue") is True,
        content_hash=str(row.get("content_hash", "")),
        text=text.encode() if isinstance(text, str) else None,
        body=body,
        subject=as_object(row.get("subject")),
        photos={kind: base64.b64decode(str(photo)) for kind, photo in sorted(photos.items())},
    )
