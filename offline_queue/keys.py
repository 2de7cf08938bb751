"""The kiosk's own key: wraps the data keys of what waits in the outbox. A file of mode 0600."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.durable import sync_folder
from kiosk.errors import OutboxUnavailable
from offline_queue.suites import Suite

_HEAD = "suizhu-kiosk-key-1"


@dataclass(frozen=True, slots=True)
class KioskKey:
    """A recipient of data keys that is this kiosk itself."""

    secret: bytes = field(repr=False)
    """32 bytes. Each suite takes its own wrapping key from them."""

    @property
    def recipient(self) -> str:
        """Name of this key in the store: says which key wrapped, and nothing about the key."""
        return "kiosk:" + hashlib.sha256(b"suizhu kiosk key name\0" + self.secret).hexdigest()[:16]

    def wrap(self, data_key: bytes, aad: bytes, suite: Suite) -> bytes:
        return suite.seal(suite.wrapping_key(self.secret), data_key, aad)

    def unwrap(self, wrapped: bytes, aad: bytes, suite: Suite) -> bytes | None:
        """Return the data key, or None when it was wrapped for another place or altered."""
        return suite.unseal(suite.wrapping_key(self.secret), wrapped, aad)


def load(path: Path) -> KioskKey:
    """Read the key file. Raises OutboxUnavailable when it is absent, readable by others or not a key."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as exc:
        raise OutboxUnavailable(
            f"outbox key {path.name}: {exc.strerror}. Without it nothing that waits can be read: "
            "bring the file back from where the installer keeps it; a new one is only made where no outbox is yet"
        ) from exc
    with os.fdopen(fd, "r", encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise OutboxUnavailable(f"outbox key {path.name}: mode {mode:04o} lets others read it; fix: chmod 600")
        words = file.read(256).split()
    if len(words) != 2 or words[0] != _HEAD:
        raise OutboxUnavailable(f"outbox key {path.name}: not a key of this program")
    try:
        secret = bytes.fromhex(words[1])
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise OutboxUnavailable(f"outbox key {path.name}: not 32 bytes; bring the file back from its safe copy")
    return KioskKey(secret)


def make(path: Path) -> KioskKey:
    """Make a new key file, durable before it returns. Raises OutboxUnavailable when one is there already."""
    key = KioskKey(secrets.token_bytes(32))
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{_HEAD} {key.secret.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)  # fails where a key is, and a cut-off start leaves no half of one
        draft.unlink()
        sync_folder(path.parent)
    except OSError as exc:
        raise OutboxUnavailable(f"outbox key {path.name}: cannot be made: {exc.strerror}") from exc
    return key
