"""The operators file: who may unlock the staff sheet, with an argon2id hash of each one's PIN.

    [[operator]]
    name = "lan"            # or a staff number: it is what the audit and the record name
    role = "clerk"          # clerk and manager decide about guests; an installer does not
    pin_hash = "$argon2id$…"  # ./run pin lan prints this block

Every fault is told at once. The file must not be readable by every user of the machine: a PIN is short.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import argon2
from argon2.exceptions import InvalidHashError

from kiosk.errors import ConfigError

ROLES = ("clerk", "manager", "installer")
LONGEST_NAME = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """What guessing one PIN costs: the least that a hash must ask for."""

    memory_kib: int
    passes: int


FLOOR = Cost(memory_kib=19 * 1024, passes=2)
"""OWASP's least for argon2id; ``./run pin`` makes hashes well above it."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who unlocked the sheet, or may."""

    name: str
    role: str
    pin_hash: str = field(default="", repr=False)

    @property
    def decides(self) -> bool:
        """Say whether this person may settle a referral."""
        return self.role in ("clerk", "manager")


def load(path: Path, floor: Cost = FLOOR) -> tuple[Operator, ...]:
    """Read the file. Raises ConfigError with all faults."""
    try:
        exposed = path.stat().st_mode & 0o007
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(path.name, [f"cannot be read: {error.strerror}; see staff.operators_file"]) from error
    except ValueError as error:  # TOML's and UTF-8's
        raise ConfigError(path.name, [f"is not TOML: {type(error).__name__}"]) from error
    faults = [f"every user of this machine can read it; fix: chmod 640 {path.name}"] if exposed else []
    faults += [f"{key}: unknown key" for key in sorted(tables.keys() - {"operator"})]
    rows = tables.get("operator")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(path.name, [*faults, "no [[operator]]; ./run pin NAME prints one"])
    for number, row in enumerate(rows, 1):
        faults += [f"operator {number}: {fault}" for fault in _faults(row, floor)]
    names = [str(row.get("name", "")).casefold() for row in rows]
    faults += [f"operator {number}: the name stands twice" for number, name in enumerate(names, 1)
               if name and name in names[: number - 1]]  # fmt: skip
    if faults:
        raise ConfigError(path.name, faults)
    return tuple(Operator(row["name"], row["role"], row["pin_hash"]) for row in rows)


def name_fault(name: object) -> str:
    """Return what is wrong with an operator's name; empty when nothing."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return f"name: 1 to {LONGEST_NAME} characters, please"
    if not name.isprintable() or name != name.strip():
        return "name: no control characters, nor spaces around it, please"
    return ""


def _faults(row: dict[str, Any], floor: Cost) -> list[str]:
    found = [f"{key}: unknown key" for key in sorted(row.keys() - {"name", "role", "pin_hash"})]
    found += [fault] if (fault := name_fault(row.get("name"))) else []
    if row.get("role") not in ROLES:
        found.append(f"role: one of {', '.join(ROLES)}, please")
    return found + ([fault] if (fault := _hash_fault(row.get("pin_hash"), floor)) else [])


def _hash_fault(pin_hash: object, floor: Cost) -> str:
    try:
        cost = argon2.extract_parameters(pin_hash if isinstance(pin_hash, str) else "")
    except InvalidHashError:
        return "pin_hash: not an argon2id hash; ./run pin NAME makes one"
    if cost.type is not argon2.Type.ID:
        return "pin_hash: argon2id, please, no other kind; ./run pin NAME makes one"
    if cost.memory_cost < floor.memory_kib or cost.time_cost < floor.passes:
        return "pin_hash: too cheap to guess; ./run pin NAME makes a dear one"
    return ""
