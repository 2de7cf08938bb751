"""Which of the configured formats a scanned payload is: by its form alone, before anybody is asked anything."""

from __future__ import annotations

import importlib

from kiosk.config import CredentialsSection
from kiosk.credentials.payment import is_payment
from kiosk.model import Reason, Refusal, ScannedCode

MAX_BYTES = 4296
"""The most that one QR symbol holds (version 40-L, alphanumeric)."""


def recognise(payload: bytes, *, config: CredentialsSection) -> ScannedCode | Refusal:
    """Return the code and its format, or what is wrong with it. Pure, well under a millisecond, never raises.

    A format that knows the code but cannot take it (host, size) decides only if no other format takes it.
    """
    if len(payload) > MAX_BYTES:
        return Refusal(Reason.CODE_TOO_LARGE)
    if is_payment(payload):
        return Refusal(Reason.CODE_PAYMENT)
    refusal = Refusal(Reason.CODE_UNKNOWN)
    for name in config.formats:
        answer = importlib.import_module(f"kiosk.credentials.{name}").recognise(payload, config)
        if isinstance(answer, ScannedCode):
            return answer
        refusal = answer or refusal
    return refusal
