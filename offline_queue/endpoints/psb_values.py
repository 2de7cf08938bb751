"""What ``PSB-Report/1`` tells besides results, taken field by field: limits, maintenance, code tables. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeGuard

from kiosk.tls import HttpReply
from offline_queue.delivery.authority_time import moment
from offline_queue.delivery.endpoint import Limits, Table, Window

MOST_WINDOWS, MOST_ENTRIES = 50, 20_000
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,40}")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,24}")
_LONGEST_NAME = 80


def parse(reply: HttpReply) -> tuple[object, str]:
    """Return the body's JSON, or None and what it is instead, in words of ours."""
    try:
        text = reply.body.decode("utf-8")
    except ValueError:
        return None, "not in UTF-8, GBK?"
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        page = text.lstrip()[:1] == "<"
        return None, "a web page, a captive portal?" if page else "JSON that is broken or cut short"
    return body, "" if isinstance(body, dict) else "JSON, but not our protocol"


def limits(own: Limits, known: Limits, body: object) -> Limits:
    """Return the limits with what a reply says; junk changes nothing.

    Args:
        own: What our settings allow: never more than that.
        known: As they were told before. What is told anew replaces it: an authority that was busy once may allow more.
        body: The reply.
    """
    if not isinstance(body, Mapping):
        return known
    records, size, version = body.get("maxRecords"), body.get("maxBodyBytes"), body.get("schemaVersion")
    return Limits(
        min(own.max_records, records) if _positive(records) else known.max_records,
        min(own.max_body_bytes, size) if _positive(size) else known.max_body_bytes,
        version if isinstance(version, str) and _VERSION.fullmatch(version) else known.schema_version,
        _windows(body["maintenance"]) if isinstance(body.get("maintenance"), list) else known.maintenance,
    )


def table(name: str, body: object) -> Table | None:
    """Read one code table; None unless it is the one that was asked for, whole and in its form."""
    if not isinstance(body, Mapping) or body.get("name") != name:
        return None
    version, listed = body.get("version"), body.get("entries")
    if not isinstance(version, str) or not _VERSION.fullmatch(version) or not isinstance(listed, list):
        return None
    entries = dict(pair for item in listed[:MOST_ENTRIES] if (pair := _entry(item)) is not None)
    return Table(name, version, entries) if entries and len(entries) == len(listed) else None


def header_text(value: object, longest: int) -> TypeGuard[str]:
    """Say whether this is a text that may go into a header."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and 1 <= len(value) <= longest


def _windows(listed: list[object]) -> tuple[Window, ...]:
    found = []
    for item in listed[:MOST_WINDOWS]:
        if isinstance(item, Mapping):
            begin, end = moment(item.get("from")), moment(item.get("to"))
            if begin is not None and end is not None and begin < end:
                found.append(Window(begin, end))
    return tuple(sorted(found, key=lambda window: window.begin))


def _entry(item: object) -> tuple[str, str] | None:
    if not isinstance(item, Mapping):
        return None
    code, name = item.get("code"), item.get("name")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    if not isinstance(name, str) or not name.isprintable() or len(name) > _LONGEST_NAME:
        return None
    return code, name


def _positive(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
