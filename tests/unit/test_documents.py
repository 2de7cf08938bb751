"""What the documents say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk.checkin.diagram import explore, mermaid
from kiosk.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
OF_THE_SHELL = {"test", "check", "fmt", "lock", "NAME", "COMMAND", "alone"}
"""Words after ``./run`` that the script itself knows, or that stand for a command."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_architecture_shows_the_flow_that_runs() -> None:
    drawn = re.search(r"```mermaid\n(.*?)\n```", text("ARCHITECTURE.md"), re.DOTALL)
    assert drawn is not None
    assert drawn.group(1) == mermaid(explore())


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "SECURITY.md", "GLOSSARY.md", "CHANGELOG.md"])
def test_every_command_that_a_document_names_exists(name: str) -> None:
    named = set(re.findall(r"\./run ([a-zA-Z-]+)", text(name)))
    assert named <= COMMANDS.keys() | OF_THE_SHELL


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "SECURITY.md"])
def test_every_link_and_path_in_a_document_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text(name))
    paths = [path for path in re.findall(r"`((?:kiosk|ui|drivers|offline_queue|tests)/[\w/.]+)`", text(name)) if path]
    assert [path for path in [*links, *paths] if not (ROOT / path).exists()] == []


def test_every_room_and_every_file_between_rooms_stands_in_the_architecture() -> None:
    told = text("ARCHITECTURE.md")
    tops = (ROOT / "kiosk", ROOT / "offline_queue")
    rooms = [path.parent.name for top in tops for path in top.glob("*/__init__.py")]
    assert [name for name in rooms if f"{name}/" not in told] == []
    files = [path.name for top in tops for path in top.glob("[a-z]*.py")]
    assert [name for name in files if name not in told and not name.startswith("vision_")] == []


def test_no_source_file_answers_more_than_one_question() -> None:
    """300 lines, 400 for tests: past that a file is two."""
    limits = {"kiosk": 300, "ui": 300, "drivers": 300, "offline_queue": 300, "tests": 400}
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for room, limit in limits.items()
        for suffix in ("*.py", "*.qml")
        for path in (ROOT / room).rglob(suffix)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert long == []
