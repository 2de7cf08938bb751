"""Everything that can go wrong, in the two voices it is told in.

A guest reads ``guest_key`` (a translation key, never a sentence); staff and support read
``str(error)`` in the log. The log text names what, where and the fix, and holds no personal data.

    KioskError
    ├── OperationalError          the world failed: device, disk, network; later may work
    │   ├── DeviceUnavailable
    │   ├── GatewayUnavailable        identity gateway, hotel system
    │   ├── EndpointUnavailable       police endpoint
    │   ├── OutboxUnavailable         nothing was acknowledged
    │   ├── ModelsMissing
    │   └── ScreenClosed
    └── ContractError             we, or the other side, broke an agreement: the same bytes cannot help
        ├── ConfigError
        └── GatewayNonsense

What a guest can cause is no exception: it is a ``kiosk.model.Refusal``.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import ClassVar


class KioskError(Exception):
    """Base of every error a kiosk module raises on purpose."""

    guest_key: ClassVar[str] = "error.generic"


class OperationalError(KioskError):
    """Hardware, disk or network failed; trying again later may work."""

    guest_key = "error.try_again_later"


class ContractError(KioskError):
    """A bug or a broken agreement; trying the same bytes again cannot help."""


class DeviceUnavailable(OperationalError):
    """A device is absent, unplugged or hung."""

    guest_key = "error.call_staff"

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(f"{device}: {reason}")
        self.device = device


class GatewayUnavailable(OperationalError):
    """The identity gateway or the hotel system did not answer in time."""


class EndpointUnavailable(OperationalError):
    """The police endpoint cannot be reached now; the record waits in the outbox."""

    guest_key = "done.report_pending"


class OutboxUnavailable(OperationalError):
    """The record could not be committed. Nothing was acknowledged, so no key may be given."""

    guest_key = "error.call_staff"


class ModelsMissing(OperationalError):
    """A model file is absent or its hash is wrong; ``./run models install`` mends it."""


class ScreenClosed(OperationalError):
    """The screen went, by its window or by Ctrl-C, while somebody still waited for what it would show."""

    def __init__(self) -> None:
        super().__init__("the screen was closed")


class ConfigError(ContractError):
    """Lists every fault in the settings, so an installer mends them in one visit."""

    def __init__(self, source: str, faults: list[str]) -> None:
        super().__init__(f"{source}:\n  " + "\n  ".join(faults))
        self.faults = tuple(faults)


class GatewayNonsense(ContractError):
    """The gateway answered something outside the agreed form."""


def where(error: BaseException) -> str:
    """Return ``TypeError at runner.py:123``: the text of an error nobody foresaw may hold a guest's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
