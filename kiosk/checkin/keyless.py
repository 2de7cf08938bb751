"""Records without a key: the kiosk was killed between the commit and the key. Each ends in a referral after all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kiosk.checkin.world import KEY_ISSUED
from kiosk.model import RegistrationId


def without_key(saved: Iterable[RegistrationId], audited: Iterable[Mapping[str, object]]) -> list[RegistrationId]:
    """Return the saved records of which the audit knows neither a key nor a referral, in their order.

    Args:
        saved: Check-ins in the outbox, the lately put ones.
        audited: The audit's entries since then. A ``key.issued`` or a ``referral.*`` that names a record settles it.
    """
    settled = {
        entry.get("record")
        for entry in audited
        if entry.get("kind") == KEY_ISSUED or str(entry.get("kind", "")).startswith("referral.")
    }
    return [record for record in saved if record not in settled]
