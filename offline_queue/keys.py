"""The kiosk's own key: wraps the data keys of what waits in the outbox.

It lies in a file of mode 0600, in the clear, or sealed by this machine's TPM (``tpm.py``): the file's first
word says which. While the key is being changed (``rotation.py``) its successor lies beside it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kiosk.durable import sync_folder
from kiosk.errors import OutboxUnavailable
from offline_queue.crypto import tpm
from offline_queue.crypto.suites import Suite

log = logging.getLogger(__name__)

KeyStore = Literal["file", "tpm"]

_IN_FILE, _IN_TPM, DESTROYED = "suizhu-kiosk-key-1", "suizhu-kiosk-key-tpm-1", "suizhu-kiosk-key-destroyed"
_LONGEST_FILE = 4096
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KioskKey:
    """A recipient of data keys that is this kiosk itself."""

    secret: bytes = field(repr=False)
    """32 bytes. Each suite takes its own wrapping key from them."""
    kept_in: KeyStore = field(default="file", compare=False)

    @property
    def recipient(self) -> str:
        """Name of this key in the store: says which key wrapped, and nothing about the key."""
        return "kiosk:" + hashlib.sha256(b"suizhu kiosk key name\0" + self.secret).hexdigest()[:16]

    def wrap(self, data_key: bytes, aad: bytes, suite: Suite) -> bytes:
        return suite.seal(suite.wrapping_key(self.secret), data_key, aad)

    def unwrap(self, wrapped: bytes, aad: bytes, suite: Suite) -> bytes | None:
        """Return the data key, or None when it was wrapped for another place or altered."""
        return suite.unseal(suite.wrapping_key(self.secret), wrapped, aad)


class KioskKeys:
    """What the kiosk holds: the newest key seals, every one opens. Read from any thread, changed by the owner's."""

    def __init__(self, path: Path, key: KioskKey, successor: KioskKey | None = None) -> None:
        """``path``: where the key's file lies, and its successor's beside it."""
        self.path = path
        # Replaced whole, never altered: a thread that seals sees the keys of before or of after
        self._held: tuple[KioskKey, ...] = (key,) if successor is None else (key, successor)

    @property
    def newest(self) -> KioskKey:
        return self._held[-1]

    @property
    def old(self) -> tuple[KioskKey, ...]:
        """Keys that a change has not done away with yet."""
        return self._held[:-1]

    def named(self, recipient: str) -> KioskKey | None:
        return next((key for key in self._held if key.recipient == recipient), None)

    def succeed(self, key: KioskKey) -> None:
        """From now on ``key`` seals."""
        self._held = (*(held for held in self._held if held != key), key)

    def forget_old(self) -> None:
        self._held = self._held[-1:]


def hold(path: Path, key_store: KeyStore, tcti: str, *, make_new: bool) -> KioskKeys:
    """Bring the kiosk's keys into memory; a change that a power cut caught at its last step is finished.

    Args:
        path: The key file.
        key_store: Where a new key is to be kept. A key that is there may be kept elsewhere: ``rotation`` moves it.
        tcti: How tpm2-tools reach the TPM.
        make_new: There is no outbox yet, so a key is made.

    Raises:
        OutboxUnavailable: No key, a file that others may read, no key of ours, or the TPM does not open it.
    """
    if make_new:
        return KioskKeys(path, make(path, key_store, tcti))
    following = successor_of(path)
    for made in (path, following):
        _draft_of(made).unlink(missing_ok=True)  # a power cut may have left a second name of a key
    if following.exists() and _words(path)[:1] == [DESTROYED]:
        take_over(path)
    keys = KioskKeys(path, load(path, tcti), load(following, tcti) if following.exists() else None)
    if keys.newest.kept_in != key_store:
        log.warning(
            "outbox key %s: kept in %s, the settings say %s. Fix: ./run queue rotate-keys",
            *(path.name, keys.newest.kept_in, key_store),
        )
    return keys


def load(path: Path, tcti: str = "") -> KioskKey:
    """Read the key file. Raises OutboxUnavailable when it is absent, readable by others or not a key."""
    match _words(path):
        case [head, text] if head == _IN_FILE:
            try:
                secret = bytes.fromhex(text)
            except ValueError:
                secret = b""
            key = KioskKey(secret)
        case [head, public, private] if head == _IN_TPM:
            try:
                blobs = tpm.Blobs(base64.b64decode(public, validate=True), base64.b64decode(private, validate=True))
            except binascii.Error:
                raise _not_whole(path) from None
            key = KioskKey(tpm.unseal(blobs, tcti), "tpm")
        case _:
            raise OutboxUnavailable(
                f"outbox key {path.name}: not a key of this program; bring the file back from its safe copy"
            )
    if len(key.secret) != KEY_BYTES:
        raise _not_whole(path)
    return key


def make(path: Path, key_store: KeyStore = "file", tcti: str = "") -> KioskKey:
    """Make a new key file, durable before it returns. Raises OutboxUnavailable when one is there already."""
    key = KioskKey(secrets.token_bytes(KEY_BYTES), key_store)
    if key_store == "tpm":
        sealed = tpm.seal(key.secret, tcti)
        text = " ".join((_IN_TPM, *(base64.b64encode(blob).decode() for blob in (sealed.public, sealed.private))))
    else:
        text = f"{_IN_FILE} {key.secret.hex()}"
    draft = _draft_of(path)
    try:
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)  # fails where a key is, and a cut-off start leaves no half of one
        draft.unlink()
        sync_folder(path.parent)
    except OSError as exc:
        raise OutboxUnavailable(
            f"outbox key {path.name}: cannot be made: {exc.strerror}; check free space and the mode of its folder"
        ) from exc
    return key


def successor_of(path: Path) -> Path:
    """Return where the next key lies while the key is being changed."""
    return path.with_name(path.name + ".next")


def destroy(path: Path) -> None:
    """Overwrite a key where it lies. Only when nothing is wrapped by it any more. Raises OutboxUnavailable."""
    try:
        with path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(DESTROYED.encode("ascii").ljust(size))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise OutboxUnavailable(f"outbox key {path.name}: cannot be overwritten: {exc.strerror}") from exc


def take_over(path: Path) -> None:
    """Put the successor in the place of the destroyed key, at once and for good. Raises OutboxUnavailable."""
    try:
        successor_of(path).rename(path)
        sync_folder(path.parent)
    except OSError as exc:
        raise OutboxUnavailable(f"outbox key {path.name}: its successor cannot take its place: {exc.strerror}") from exc


def _draft_of(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _words(path: Path) -> list[str]:
    """Read a key file that nobody else may read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not hold the start
    except OSError as exc:
        raise OutboxUnavailable(
            f"outbox key {path.name}: {exc.strerror}. Without it nothing that waits can be read: "
            "bring the file back from where the installer keeps it; a new one is only made where no outbox is yet"
        ) from exc
    with os.fdopen(fd, "r", encoding="ascii", errors="replace") as file:
        seen = os.fstat(file.fileno())
        mode = stat.S_IMODE(seen.st_mode)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid not in (os.geteuid(), 0):
            raise OutboxUnavailable(
                f"outbox key {path.name}: no file, or another user's, who may read it; fix: bring back the one of its "
                "safe copy, and make it this user's (chown)"
            )
        if mode & 0o077:
            raise OutboxUnavailable(f"outbox key {path.name}: mode {mode:04o} lets others read it; fix: chmod 600")
        return file.read(_LONGEST_FILE).split()


def _not_whole(path: Path) -> OutboxUnavailable:
    return OutboxUnavailable(f"outbox key {path.name}: not {KEY_BYTES} bytes; bring the file back from its safe copy")
