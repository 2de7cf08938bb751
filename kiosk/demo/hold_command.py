"""``./run hold …``: hold something up to the simulated camera of a demo kiosk that runs in another terminal.

./run start                       the kiosk, in a window
./run hold suishen lin            an invented guest's phone with a fresh Suishen code
./run hold claim169 zhou          one with a signed e-ID QR; --fault expired|forged|… spoils it
./run hold face lin               the guest's face
./run hold nothing                everybody leaves
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from drivers.camera.stage import Stage, scene_socket
from kiosk.config import Config, load, usual_file
from kiosk.embedded import sandbox_dir
from kiosk.sandbox import control
from kiosk.sandbox.people import ASTRONAUT, PEOPLE
from kiosk.weights import cache


def main(argv: list[str]) -> int:
    """Hold one thing up. Exit 0 once the camera shows it."""
    parser = argparse.ArgumentParser(
        prog="./run hold",
        description="Hold a code or a face up to the camera of a demo kiosk that runs in another terminal.",
        epilog=f"PERSON, all invented: {', '.join(sorted(PEOPLE))}",
    )
    parser.add_argument(
        "what",
        choices=("suishen", "claim169", "face", "nothing"),
        help="a phone with a Suishen code or an e-ID QR, the face, or nothing any more",
    )
    parser.add_argument("person", nargs="?", choices=sorted(PEOPLE), default=None, metavar="PERSON", help="whose")
    parser.add_argument("--fault", default=None, help="spoil the e-ID QR: expired, forged, altered, …")
    parser.add_argument("--config", type=Path, default=usual_file())
    arguments = parser.parse_args(argv)
    config = load(arguments.config)
    if config.kiosk.mode != "demo":
        sys.stderr.write('hold: kiosk.mode is not "demo"; nothing is held up to a real kiosk\n')
        return 1
    if arguments.what != "nothing" and arguments.person is None:
        sys.stderr.write(f"hold: whose? one of: {', '.join(sorted(PEOPLE))}\n")
        return 2
    stage = Stage(scene_socket(config))
    try:
        _hold(stage, config, arguments.what, arguments.person, arguments.fault)
    except ValueError as error:
        sys.stderr.write(f"hold: {error}\n")
        return 1
    return 0


def _hold(stage: Stage, config: Config, what: str, person: str | None, fault: str | None) -> None:
    if what == "nothing" or person is None:
        stage.show_nothing()
    elif what == "face":
        stage.show_face(cache.path(PEOPLE[person].portrait or ASTRONAUT))
    else:
        wanted = {"person": person, **({"fault": fault} if what == "claim169" else {})}
        stage.show_code(base64.b64decode(control.ask(sandbox_dir(config.kiosk.state_dir), f"issue_{what}", **wanted)))
