"""The settings file of the repository: whole, commented, equal to the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from kiosk.config import Config, load, resolved

ROOT = Path(__file__).parents[2]
FILE = ROOT / "config.toml"
KEYS = [f"{name}.{key}" for name, section in Config() for key in type(section).model_fields]


def test_it_gives_the_defaults() -> None:
    assert load(FILE) == resolved(Config(), ROOT)


@pytest.mark.parametrize("key", KEYS)
def test_it_names_every_key(key: str) -> None:
    section, name = key.split(".")
    assert name in tomllib.loads(FILE.read_text(encoding="utf-8"))[section]


def test_every_key_has_a_comment_above_it() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    bare = []
    for number, line in enumerate(lines):
        before = lines[number - 1]
        if re.match(r"\w+ = ", line) and not before.startswith("#") and not re.match(r"\w+ = ", before):
            bare.append(line)
    assert bare == []
