"""Everything that can go wrong, in the two voices it is told in.

A guest meets the ``kiosk.model.Reason`` that ``kiosk.checkin.world`` makes of an error; staff and support read
``str(error)`` in the log. That text names what, where and the fix, and holds no personal data.

    KioskError
    ├── OperationalError          the world failed: device, disk, network; later may work
    │   ├── DeviceUnavailable
    │   ├── GatewayUnavailable        identity gateway, hotel system
    │   ├── OutboxUnavailable         nothing was acknowledged
    │   │   └── OutboxDamaged             the file is broken or was swapped: set it aside
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


class KioskError(Exception):
    """Base of every error a kiosk module raises on purpose."""


class OperationalError(KioskError):
    """Hardware, disk or network failed; trying again later may work."""


class ContractError(KioskError):
    """A bug or a broken agreement; trying the same bytes again cannot help."""


class DeviceUnavailable(OperationalError):
    """A device is absent, unplugged or hung."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(f"{device}: {reason}")


class GatewayUnavailable(OperationalError):
    """The identity gateway or the hotel system did not answer in time."""


class OutboxUnavailable(OperationalError):
    """The record could not be committed. Nothing was acknowledged, so no key may be given."""


class OutboxDamaged(OutboxUnavailable):
    """The store's file is broken, altered or an older copy: set aside before the next record can be saved."""


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
