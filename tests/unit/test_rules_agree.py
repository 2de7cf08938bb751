"""Both ends judge alike: what the kiosk lets into the outbox is not sent back by the police for its form."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.registration import code_tables
from kiosk.registration.forms import OPERATIONS
from kiosk.registration.validators import findings
from kiosk.sandbox import police_rules
from kiosk.sandbox.messages import BadRequest
from kiosk.sandbox.police_forms import Finding
from kiosk.sandbox.police_rules import judge
from kiosk.sandbox.police_tables import TABLES
from kiosk.sandbox.submission import parse
from tests.sandbox_kit import overseas_record, sample_record
from tests.unit.test_sandbox_later_rules import GUESTS, NOW, later

RECORDS: dict[str, dict[str, Any]] = {
    "CI": sample_record(),
    "JI": overseas_record(),
    "UP": sample_record(op="UP", revision=2),
    **{op: later(op) for op in GUESTS},
}
VALUES = (
    st.text(max_size=20)
    | st.text(alphabet="0123456789XABC-\u957f\u671f ", max_size=20)
    | st.sampled_from(["", "1", "18", "2020-01-01", "2999-12-31", "2026-11-25T10:00:00", "\ud800"])
    | st.sampled_from([(NOW + timedelta(days=days)).isoformat() for days in (-60, 1, 400)])
    | st.none()
    | st.booleans()
    | st.integers(-5, 30)
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> code_tables.CodeTables:
    """The sandbox's tables, as the outbox fetches them."""
    folder: Path = tmp_path_factory.mktemp("tables")
    (folder / code_tables.FILE).write_text(json.dumps({"version": "1", "tables": TABLES}), encoding="utf-8")
    return code_tables.load(folder)


@pytest.mark.parametrize("op", list(RECORDS))
def test_both_take_the_whole_record(op: str, tables: code_tables.CodeTables) -> None:
    record = RECORDS[op]
    assert findings(record, (), tables) == ()
    assert judge(parse({"record": json.dumps(record)}), NOW) is None


@given(st.sampled_from(sorted(RECORDS)), st.booleans(), st.integers(0, 100), VALUES)
@example("CI", False, 0, "")
def test_what_the_kiosk_accepts_the_police_accept(
    tables: code_tables.CodeTables, op: str, of_guest: bool, which: int, value: object
) -> None:
    record = copy.deepcopy(RECORDS[op])
    part = record["guest"] if of_guest else record
    part[sorted(part)[which % len(part)]] = value
    if findings(record, (), tables):
        return
    try:
        found = judge(parse({"record": json.dumps(record)}), NOW)
    except BadRequest:
        assert record["recordId"] == value or record["revision"] == value, "ids are the outbox's to check"
        return
    assert found is None or for_the_police_alone(found), found


def for_the_police_alone(found: Finding) -> bool:
    """Say whether it takes more than the record to see it: the time of today, and a minor's guardian (staff's)."""
    return found in {Finding("E20", "occurredAt"), Finding("E305", "guest.guardianName")}


def test_both_know_the_same_operations() -> None:
    assert OPERATIONS == police_rules.OPERATIONS
