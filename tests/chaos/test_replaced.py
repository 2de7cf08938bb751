"""What the chaos once found about losses of a database, played again."""

from __future__ import annotations

import pytest

from kiosk.chaos import command


def plays(seed: str, case: str) -> bool:
    return command.main(["--only", "second-copy", "--seed", seed, "--case", case]) == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", ["19", "66"])
def test_a_correction_that_the_second_copy_brings_back_replaces_what_it_replaced(case: str) -> None:
    assert plays("9", case)


@pytest.mark.timeout(60)
def test_a_receipt_that_was_overwritten_on_its_page_is_none() -> None:
    assert plays("77", "273")
