"""``./run pin NAME``: make an operator's entry for the operators file. The PIN is asked for twice and not shown.

./run pin lan --role clerk >> operators.toml
chmod 640 operators.toml        # and name the file in config.toml: [staff] operators_file
"""

from __future__ import annotations

import argparse
import getpass
import json
import re
import sys
from itertools import pairwise

import argon2

from kiosk.staff.operators import ROLES, name_fault

FEWEST_DIGITS = 6
MOST_DIGITS = 12
"""As many as the sheet takes."""


def pin_fault(pin: str) -> str:
    """Return what is wrong with a new PIN; empty when nothing."""
    if not re.fullmatch(rf"[0-9]{{{FEWEST_DIGITS},{MOST_DIGITS}}}", pin):
        return f"{FEWEST_DIGITS} to {MOST_DIGITS} digits, please"
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return "no row of the same or of following digits, please"
    return ""


def entry(name: str, role: str, pin: str, hasher: argon2.PasswordHasher | None = None) -> str:
    """Return the TOML block for one operator."""
    pin_hash = (hasher or argon2.PasswordHasher()).hash(pin)
    texts = {"name": name, "role": role, "pin_hash": pin_hash}
    return "\n".join(["[[operator]]", *(f"{key} = {_quoted(text)}" for key, text in texts.items()), ""])


def main(argv: list[str]) -> int:
    """Ask for the PIN and print the block; exit 1 when PIN or name will not do."""
    parser = argparse.ArgumentParser(prog="./run pin", description="Make an operator's entry for the operators file.")
    parser.add_argument("name", help="name or staff number, as the audit shall show it")
    parser.add_argument("--role", choices=ROLES, default="clerk")
    arguments = parser.parse_args(argv)
    fault = name_fault(arguments.name)
    if not fault:
        pin = _ask("PIN: ")
        fault = pin_fault(pin) or ("" if _ask("The same again: ") == pin else "the two are not the same")
        if not fault:
            print(entry(arguments.name, arguments.role, pin))
            return 0
    sys.stderr.write(f"pin: {fault}\n")
    return 1


def _ask(prompt: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\n")


def _quoted(text: str) -> str:
    """Quote for TOML: JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)
