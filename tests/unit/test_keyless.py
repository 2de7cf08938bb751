"""After a power cut every saved record still ends in a key or a referral."""

from __future__ import annotations

from kiosk.checkin.keyless import without_key
from kiosk.model import RegistrationId

A, B, C = RegistrationId("a"), RegistrationId("b"), RegistrationId("c")


def test_a_record_with_a_key_or_a_referral_is_settled() -> None:
    audited = [
        {"kind": "key.issued", "record": "a"},
        {"kind": "referral.opened", "record": "b", "reason": "key.failed"},
        {"kind": "consent.face", "record": "c"},
    ]
    assert without_key([A, B, C], audited) == [C]


def test_a_second_start_does_not_call_staff_again() -> None:
    first = without_key([A], [])
    assert first == [A]
    assert without_key([A], [{"kind": "referral.opened", "record": str(record)} for record in first]) == []
