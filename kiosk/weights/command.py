"""``./run models``: install, list or verify the files that the kiosk fetches."""

from __future__ import annotations

import argparse
import json
import sys

from kiosk.weights import cache, install
from kiosk.weights.manifest import ModelFile


def main(argv: list[str]) -> int:
    """Return 0 when every file is in the cache and right, else 1. Progress goes to stderr, the list to stdout."""
    parser = argparse.ArgumentParser(prog="./run models", description="Install, list or verify what the kiosk fetches.")
    parser.add_argument("action", choices=("install", "list", "verify"))
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    asked = parser.parse_args(argv)
    if asked.action == "install":
        new = install.install(_say)
        _say(f"{new} new, all {len(cache.models())} files are in {cache.folder()}")
    found = [(model, cache.state_of(model)) for model in cache.models().values()]
    if asked.json:
        print(json.dumps({"folder": str(cache.folder()), "models": [_as_json(*item) for item in found]}))
    elif asked.action != "install":
        _print(found)
    whole = all(state is cache.State.INSTALLED for _, state in found)
    if not whole:
        _say("something is missing or damaged: ./run models install mends it")
    return 0 if whole or asked.action == "list" else 1


def _say(line: str) -> None:
    sys.stderr.write(f"models: {line}\n")
    sys.stderr.flush()


def _as_json(model: ModelFile, state: cache.State) -> dict[str, object]:
    place = cache.place_of(model)
    return {
        "name": model.name,
        "state": state.value,
        "size_bytes": place.stat().st_size if state is not cache.State.ABSENT else None,
        "licence": model.licence,
        "purpose": model.purpose,
        "origin": model.origin,
        "package": f"{model.carrier.package}=={model.carrier.version}",
        "member": model.member,
        "conversion": model.conversion,
        "sha256": model.sha256,
        "file": str(place),
    }


def _print(found: list[tuple[ModelFile, cache.State]]) -> None:
    print(f"{'name':<20} {'state':<10} {'MB':>6}  {'licence':<14} purpose")
    for model, state in found:
        size = f"{cache.place_of(model).stat().st_size / 1e6:.1f}" if state is not cache.State.ABSENT else "-"
        print(f"{model.name:<20} {state:<10} {size:>6}  {model.licence:<14} {model.purpose}")
