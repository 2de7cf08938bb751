"""Are the nets there, byte for byte, and does the site want faces compared?"""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.config import Config
from kiosk.errors import KioskError
from kiosk.face import NETS

DEMO_PICTURES = ("demo_face_astronaut", "demo_face_hopper")


def findings(config: Config) -> list[Finding]:
    """Hash every model file, 0.2 s the first time."""
    found = [_nets(), _policy(config)]
    if config.kiosk.mode == "demo":
        found.append(_pictures())
    return found


def _nets() -> Finding:
    faults = _faults(NETS)
    if faults:
        meaning = "no face check is offered, staff look at every guest: " + "; ".join(faults)
        return Finding("models", Result.FAIL, meaning, "./run models install", Capability.FACE)
    return Finding(
        "models", Result.OK, f"{len(NETS)} nets, their hashes are those of the manifest", "", Capability.FACE
    )


def _policy(config: Config) -> Finding:
    if config.face.policy == "never":
        meaning = "face.policy is never: staff look at every guest"
        return Finding("face policy", Result.SKIPPED, meaning, "", Capability.FACE)
    return Finding("face policy", Result.OK, "guests choose between face check and staff", "", Capability.FACE)


def _pictures() -> Finding:
    faults = _faults(DEMO_PICTURES)
    if faults:
        meaning = "the demo has no guests to draw: " + "; ".join(faults)
        return Finding("demo pictures", Result.WARN, meaning, "./run models install")
    return Finding("demo pictures", Result.OK, "both public-domain portraits are there")


def _faults(names: Iterable[str]) -> list[str]:
    from kiosk.weights import cache

    faults = []
    for name in names:
        try:
            cache.path(name)
        except KeyError:
            faults.append(f"{name} is not in the manifest")
        except (KioskError, OSError) as exc:
            faults.append(str(exc))
    return faults
