"""Reads config.toml into a Config, or says everything that is wrong with it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk.config import rules
from kiosk.config.faults import BadSettings, Fault, shown
from kiosk.config.lines import KeyPath, locate
from kiosk.config.sections import Config
from kiosk.config.wording import fault_of

ROOT = Path(__file__).parent.parent.parent
"""Where the folders of the drivers lie, ./run and its config.toml."""


def usual_file() -> Path:
    """Return the config.toml of this folder, or the one beside ./run where there is none: a service starts in "/"."""
    here = Path("config.toml")
    return here if here.exists() else ROOT / here


def load(path: Path, root: Path = ROOT) -> Config:
    """Read settings; relative paths in them are relative to the file's folder. Blocks for a few milliseconds.

    Args:
        path: A TOML file, UTF-8. Sections and keys that are absent take their defaults.
        root: The folder below which drivers are looked for.

    Raises:
        BadSettings: A ConfigError with every fault, in the order of the file.
    """
    text = _read(path)
    table = _parse(path, text)
    config, found = _check_keys(table)
    config = resolved(config, path.absolute().parent)
    found += rules.broken(config, root, {fault.key for fault in found})
    if found:
        lines, written = locate(text), tomllib.loads(text)
        placed = [_placed(fault, lines, written) for fault in found]
        raise BadSettings(str(path), sorted(placed, key=lambda fault: fault.line or len(text)))
    return config


def resolved(config: Config, folder: Path) -> Config:
    """Return the settings with every relative path taken from ``folder``, and ``~`` as the user's home."""
    sections = {}
    for name in type(config).model_fields:
        section = getattr(config, name)
        paths = {key: folder / value.expanduser() for key, value in section if isinstance(value, Path)}
        sections[name] = section.model_copy(update=paths)
    return config.model_copy(update=sections)


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        fix = f"give the path of a settings file that can be read; the repository's config.toml is one ({exc.strerror})"
        raise BadSettings(str(path), [Fault("", "", "", fix)]) from exc
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        fix = "save the file as UTF-8; this line holds bytes of another encoding"
        raise BadSettings(str(path), [Fault("", "", "", fix, line)]) from exc


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(exc))
        line = int(where[1]) if where and where[1] else text.count("\n") + 1
        reason = str(exc).replace(where[0], "") if where else "not TOML"
        fix = f'write the line as key = value, texts in double quotes, sections as [name] ("{reason}")'
        raise BadSettings(str(path), [Fault("", "", "", fix, line)]) from exc


def _check_keys(table: dict[str, Any]) -> tuple[Config, list[Fault]]:
    """Return what is sound, with defaults in place of what is not, and the faults. ``table`` loses what is not."""
    found: dict[str, Fault] = {}
    for _ in range(2):  # the second time only defaults stand where a fault was
        try:
            config = Config.model_validate_json(json.dumps(table, default=str), strict=True)
            return config, list(found.values())
        except ValidationError as exc:
            for error in exc.errors(include_url=False, include_context=True):
                section, *rest = (str(part) for part in error["loc"])
                key = ".".join([section, *rest[:1]])
                found.setdefault(key, fault_of(key, error["type"], error.get("ctx", {}), table))
            for key in found:
                _remove(table, key)
    raise AssertionError("the defaults are not sound")


def _remove(table: dict[str, Any], key: str) -> None:
    section, _, name = key.partition(".")
    if name and isinstance(table.get(section), dict):
        table[section].pop(name, None)
    else:
        table.pop(section, None)


def _placed(fault: Fault, lines: dict[KeyPath, int], table: dict[str, Any]) -> Fault:
    """Add the line, and the value as the installer wrote it: a default or an absolute path would not be found there."""
    section, _, name = fault.key.partition(".")
    line = lines.get((section, name)) or lines.get((section,))
    within = table.get(section)
    if fault.value and name and isinstance(within, dict) and name in within:
        return replace(fault, line=line, value=shown(fault.key, within[name]))
    return replace(fault, line=line)
