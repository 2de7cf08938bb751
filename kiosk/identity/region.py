"""Whether check-in by code is open for a guest's home: the household's province decides, never the number."""

from __future__ import annotations

from typing import Literal


def is_accepted(household_province: str | None, accepted: Literal["all"] | tuple[str, ...]) -> bool:
    """Compare the gateway's answer with ``credentials.accepted_provinces``. No answer refuses nobody."""
    return accepted == "all" or household_province is None or household_province in accepted
