"""What a second copy leaves behind when it is switched off: its keyring, which no purge would reach any more."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from kiosk.durable import sync_folder
from offline_queue.recovery.keyring import Keyring, Where
from offline_queue.states import EventState
from offline_queue.store import Store


def forget(store: Store, file: Path) -> None:
    """Destroy in the keyring what the store knows itself, then the empty file. Owner thread; some ms for each 100 keys.

    Keys of records that the store does not know stay: switched on again, the second copy brings those back.
    Raises OutboxUnavailable and OSError; can be done again.
    """
    if not file.exists():
        return
    keyring = Keyring(file)
    try:
        if keyring.destroy([where for where in keyring.places() if _is_known(store, where)]):
            keyring.sync()
        left = len(keyring)
    finally:
        keyring.close()
    if not left:
        file.unlink()
        sync_folder(file.parent)


def _is_known(store: Store, where: Where) -> bool:
    record, revision, _ = where
    event = store.find(UUID(bytes=record), revision)
    return event is not None and event.state is not EventState.QUARANTINED  # its own keys may be damaged
