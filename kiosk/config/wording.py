"""What a key may hold and how to mend it, in words made from the sections themselves."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from kiosk.config.faults import Fault, shown
from kiosk.config.sections import DOUBT_FLOOR, PAD_FLOOR, SIMILARITY_FLOOR, Config

_FLOORS = {
    "face.similarity_threshold": SIMILARITY_FLOOR,
    "face.doubt_threshold": DOUBT_FLOOR,
    "face.pad_threshold": PAD_FLOOR,
}


def fault_of(key: str, kind: str, bounds: dict[str, Any], table: dict[str, Any]) -> Fault:
    """Word one finding of pydantic; its own text is not used, because it repeats the value.

    Args:
        key: ``section`` or ``section.key``.
        kind: pydantic's error type.
        bounds: Its context: ``ge``, ``le``, ….
        table: The file, as read.
    """
    section, _, name = key.partition(".")
    if kind == "extra_forbidden":
        return Fault(key, "", "", _unknown(section, name))
    if not name:
        return Fault(key, "", "a section", f"write [{section}] on a line of its own and its keys below it")
    field = _field(section, name)
    value = shown(key, table[section][name])
    return Fault(key, value, allowed(field), _fix(key, kind, bounds, field))


def allowed(field: FieldInfo) -> str:
    """Say what a key may hold: ``0.42 to 1.0``, ``true or false``, ``one of "demo", "production"``."""
    if field.description:
        return field.description
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(json.dumps(value) for value in get_args(field.annotation))
    if field.annotation is bool:
        return "true or false"
    low, high = _bound(field, "ge"), _bound(field, "le")
    if field.annotation in (int, float):
        return f"{'a whole number, ' if field.annotation is int else ''}{low} to {high}"
    least, most = _bound(field, "min_length"), _bound(field, "max_length")
    return f"a text of {least} to {most} characters"


def toml_value(value: object) -> str:
    """Write a default as TOML would; None is an empty text."""
    if value is None:
        return '""'
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _field(section: str, name: str) -> FieldInfo:
    model = type(getattr(Config(), section))
    field: FieldInfo = model.model_fields[name]
    return field


def _bound(field: FieldInfo, name: str) -> object:
    return next((getattr(item, name) for item in field.metadata if hasattr(item, name)), None)


def _unknown(section: str, name: str) -> str:
    sections = Config.model_fields
    if name:
        known = list(type(getattr(Config(), section)).model_fields)
        near = get_close_matches(name, known, 1)
        return (
            f"there is no such key; {_did_you_mean(near[0]) if near else 'remove it, or see config.toml for the keys'}"
        )
    homes = [home for home in sections if section in type(getattr(Config(), home)).model_fields]
    if homes:
        return f"this key belongs below [{'] or ['.join(homes)}]"
    near = get_close_matches(section, list(sections), 1)
    return f"there is no such section; {_did_you_mean(f'[{near[0]}]') if near else 'remove it'}"


def _did_you_mean(word: str) -> str:
    return f"did you mean {word}?"


def _fix(key: str, kind: str, bounds: dict[str, Any], field: FieldInfo) -> str:
    if kind == "greater_than_equal":
        floor = " (this floor is compiled in: a site may only tighten it)" if _FLOORS.get(key) == bounds["ge"] else ""
        return f"write {bounds['ge']:g} or more{floor}"
    if kind == "less_than_equal":
        return f"write {bounds['le']:g} or less"
    quotes = {"float_type": "a number without quotes", "int_type": "a whole number without quotes"}
    quotes |= {"bool_type": "true or false without quotes", "string_type": "a text in double quotes"}
    what = quotes.get(kind, "an allowed value")
    return f"write {what}, as in {key.partition('.')[2]} = {toml_value(field.default)}"
