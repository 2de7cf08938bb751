"""A correction that only the second copy knows: what the chaos once found, played again."""

from __future__ import annotations

import pytest

from kiosk.chaos import command


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", ["19", "66"])
def test_a_correction_that_the_second_copy_brings_back_replaces_what_it_replaced(case: str) -> None:
    assert command.main(["--only", "second-copy", "--seed", "9", "--case", case]) == 0
