"""Limits, windows and code tables of an authority: taken field by field, and nothing that has not its form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.tls import HttpReply
from offline_queue.delivery.authority_time import moment
from offline_queue.delivery.endpoint import Limits, Window
from offline_queue.endpoints import psb_values

OWN = Limits(50, 4_000_000)
KNOWN = Limits(50, 4_000_000, "v1", (Window(1.0, 2.0),))
FROM, TO = "2026-06-01T02:00:00+08:00", "2026-06-01T04:00:00+08:00"
TABLE: dict[str, Any] = {"name": "rooms", "version": "v2", "entries": [{"code": "1208", "name": "1208"}]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def reply(body: bytes) -> HttpReply:
    return HttpReply(200, body, too_large=False, retry_after=None)


@pytest.mark.parametrize(
    ("body", "parsed", "says"),
    [
        (b'{"a": 1}', {"a": 1}, ""),
        (b"[1]", [1], "JSON, but not our protocol"),
        (b" <html>", None, "a web page, a captive portal?"),
        (b'{"a": ', None, "JSON that is broken or cut short"),
        ("处理成功".encode("gbk"), None, "not in UTF-8, GBK?"),
        (b"[" * 200_000, None, "JSON that is broken or cut short"),
    ],
)
def test_a_body_that_cannot_be_used_is_named(body: bytes, parsed: object, says: str) -> None:
    assert psb_values.parse(reply(body)) == (parsed, says)


def test_limits_are_taken_but_never_more_than_ours() -> None:
    told = {
        "maxRecords": 20,
        "maxBodyBytes": 9_000_000,
        "schemaVersion": "v2",
        "maintenance": [{"from": FROM, "to": TO}],
    }
    begin, end = moment(FROM), moment(TO)
    assert begin is not None
    assert end is not None
    assert psb_values.limits(OWN, KNOWN, told) == Limits(20, 4_000_000, "v2", (Window(begin, end),))
    assert psb_values.limits(OWN, KNOWN, {"maintenance": []}).maintenance == ()


def test_an_authority_that_allowed_less_for_a_while_may_allow_more_again() -> None:
    less = psb_values.limits(OWN, KNOWN, {"maxRecords": 1, "maxBodyBytes": 100_000})
    assert (less.max_records, less.max_body_bytes) == (1, 100_000)
    assert psb_values.limits(OWN, less, {}) == less
    more = psb_values.limits(OWN, less, {"maxRecords": 100, "maxBodyBytes": 9_000_000})
    assert (more.max_records, more.max_body_bytes) == (50, 4_000_000)


@given(JSON)
def test_limits_that_make_no_sense_leave_a_line_that_works(junk: object) -> None:
    found = psb_values.limits(
        OWN, KNOWN, dict.fromkeys(("maxRecords", "maxBodyBytes", "schemaVersion", "maintenance"), junk)
    )
    assert 1 <= found.max_records <= 50
    assert 1 <= found.max_body_bytes <= 4_000_000
    assert psb_values.limits(OWN, KNOWN, junk if not isinstance(junk, dict) else 7) == KNOWN


def test_windows_come_in_order_without_those_that_are_none() -> None:
    later = {"from": "2026-07-01T02:00:00+08:00", "to": "2026-07-01T04:00:00+08:00"}
    told = [later, {"from": TO, "to": FROM}, {"from": FROM}, "always", {"from": FROM, "to": TO}]
    windows = psb_values.limits(OWN, KNOWN, {"maintenance": told}).maintenance
    assert [window.begin for window in windows] == [moment(FROM), moment("2026-07-01T02:00:00+08:00")]


def test_a_whole_table_is_read() -> None:
    found = psb_values.table("rooms", TABLE)
    assert found is not None
    assert (found.version, dict(found.entries)) == ("v2", {"1208": "1208"})


@pytest.mark.parametrize(
    "body",
    [
        None,
        TABLE | {"name": "visa"},
        TABLE | {"version": 2},
        TABLE | {"version": "v 2"},
        TABLE | {"entries": []},
        TABLE | {"entries": "1208"},
        TABLE | {"entries": [7]},
        TABLE | {"entries": [{"code": "12 08", "name": "x"}]},
        TABLE | {"entries": [{"code": "1208", "name": "a\nb"}]},
        TABLE | {"entries": [{"code": "1208", "name": "x" * 81}]},
        TABLE | {"entries": [{"code": "1", "name": "x"}, {"code": "1", "name": "y"}]},
    ],
)
def test_a_table_with_anything_wrong_in_it_is_none(body: object) -> None:
    assert psb_values.table("rooms", body) is None


@pytest.mark.parametrize(("value", "fits"), [("t", True), ("", False), ("a\r\nb", False), ("令牌", False), (7, False)])
def test_a_token_may_hold_nothing_that_breaks_a_header(value: object, fits: bool) -> None:
    assert psb_values.header_text(value, 10) is fits
