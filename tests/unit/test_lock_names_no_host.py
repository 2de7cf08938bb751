"""The check of the lock files can fail."""

from __future__ import annotations

import pytest

from tests.lock_names_no_host import faults_of_lock

PIN = "numpy==2.4.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


def test_a_lock_of_pins_and_hashes_is_fine() -> None:
    assert faults_of_lock("x.lock", PIN) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (PIN + "--index-url https://example.invalid/simple\n", "names a URL"),
        ("numpy==2.4.0\n", "not pinned by hash: numpy==2.4.0"),
        ("", "pins nothing"),
    ],
)
def test_a_faulty_lock_is_told(text: str, fault: str) -> None:
    assert any(fault in found for found in faults_of_lock("x.lock", text))
