"""What of an authority's answer reaches the kiosk: fields on a list, in their form, and nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.delivery.replies import Answered, Result, answered, record_result

GOOD: dict[str, Any] = {
    "recordId": "6f1c1a52-1111-4111-8111-0123456789ab",
    "revision": 1,
    "contentHash": "ab" * 32,
    "status": "ACCEPTED",
    "code": "E304",
    "field": "guest.idNumber",
    "receiptNo": "SANDBOX-0123456789ABCDEF",
    "receivedAt": "2026-01-01T12:00:00+08:00",
    "duplicate": True,
}


def test_a_whole_result_is_read_whole() -> None:
    assert record_result(GOOD) == Result(
        UUID(GOOD["recordId"]),
        1,
        bytes.fromhex("ab" * 32),
        "ACCEPTED",
        "E304",
        "guest.idNumber",
        "SANDBOX-0123456789ABCDEF",
        "2026-01-01T12:00:00+08:00",
        duplicate=True,
    )


def test_a_mark_on_a_person_and_a_sentence_end_here() -> None:
    marked = GOOD | {"wanted": True, "message": "在逃人员", "name": "林随安", "receiptNo": "在逃人员 请报警"}
    told = answered(200, {"status": "DONE", "results": [marked], "alert": "在逃人员"}, None)
    assert "在逃" not in repr(told)
    assert "林随安" not in repr(told)
    assert told.results[0].receipt_no == ""


@pytest.mark.parametrize("name", ["recordId", "revision", "contentHash"])
@pytest.mark.parametrize("value", [None, "", "x", -1.5, True, [], {"a": 1}, "6f1c1a52"])
def test_a_result_that_cannot_be_matched_is_none(name: str, value: object) -> None:
    assert record_result(GOOD | {name: value}) is None
    assert answered(200, {"results": [GOOD | {name: value}, GOOD, 7, None]}, None).results == (record_result(GOOD),)


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("status", "accepted", "status"),
        ("status", "A" * 30, "status"),
        ("code", "22", "code"),
        ("code", "E" * 20, "code"),
        ("field", "guest name", "field"),
        ("field", "1" * 18, "field"),
        ("receiptNo", "R" * 65, "receipt_no"),
        ("receiptNo", 7, "receipt_no"),
        ("receivedAt", "yesterday", "received_at"),
    ],
)
def test_a_field_out_of_form_is_empty(name: str, value: object, attribute: str) -> None:
    result = record_result(GOOD | {name: value})
    assert result is not None
    assert getattr(result, attribute) == ""


def test_only_true_is_a_duplicate() -> None:
    result = record_result(GOOD | {"duplicate": "true"})
    assert result is not None
    assert result.duplicate is False


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_what_is_no_object_is_unreadable(body: object) -> None:
    assert answered(202, body, 3.0) == Answered(202, retry_after_s=3.0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "results", "batchId"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_breaks_the_reading(body: object) -> None:
    told = answered(200, body, None)
    assert told.readable == isinstance(body, dict)
    record_result(body)
