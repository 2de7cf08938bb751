"""``./run demo``: three invented guests from a code on a phone to a police receipt, with or without a display."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from kiosk import log as logs
from kiosk.config import ROOT, Config, load
from kiosk.demo.guests import Director, Guest, Visit
from kiosk.demo.pictures import Album
from kiosk.demo.watch import Watch
from kiosk.errors import ScreenClosed

if TYPE_CHECKING:
    from kiosk.app import Kiosk

RECEIPT_S = 30.0
"""How long the demo waits for a receipt before it gives up."""

ENDED = 130
"""Exit status, as shells have it, when somebody closed the window or pressed Ctrl-C."""

DISPLAYS = {"WAYLAND_DISPLAY": "wayland", "DISPLAY": "xcb"}

PAUSE_S = 1.2
"""How long a guest looks at each screen when there is a window to watch."""

SIMULATED = (
    "Simulated: camera (frames drawn, then read by the real decoder and the real nets), key encoder, identity gateway,",
    "hotel system and police endpoint (real HTTPS on this machine). Reference and probe come from one photo:",
    "this shows that the parts fit together, and says nothing about accuracy. Names and numbers are invented.",
)


@dataclass(slots=True)
class Story:
    """What happened, for the timeline and the JSON."""

    visits: list[Visit] = field(default_factory=list)
    receipts: list[dict[str, object]] = field(default_factory=list)
    queue: dict[str, int] = field(default_factory=dict)


class Teller:
    """Prints the timeline as it happens; with ``--json`` to standard error, so that the last line stays JSON."""

    def __init__(self, *, to_error: bool) -> None:
        self._stream = sys.stderr if to_error else sys.stdout
        self._began = time.monotonic()

    def say(self, text: str = "") -> None:
        """Print one line with the seconds since the start."""
        self._stream.write(f"{time.monotonic() - self._began:7.2f} s  {text}\n" if text else "\n")
        self._stream.flush()

    def visit(self, visit: Visit) -> None:
        """Print one guest's steps."""
        for name, ms in visit.steps_ms.items():
            self.say(f"    {name:<24}{ms:9.1f} ms")
        self.say(f"    machine time, first frame of the code to the key: {visit.machine_ms:.0f} ms")


def main(argv: list[str]) -> int:
    """Run the demo. Exit 0 only when every record was delivered, 130 when somebody ended it."""
    parser = argparse.ArgumentParser(
        prog="./run demo", description="Three invented guests, from code to police receipt."
    )
    parser.add_argument("--config", type=Path, default=None, help="settings to start from (default: built-in demo)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pictures", type=Path, default=None, help="folder for the pictures")
    parser.add_argument("--pause", type=float, default=None, help="seconds a guest looks at each screen")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("QT_QPA_PLATFORM", _platforms())
    teller = Teller(to_error=arguments.json)
    with tempfile.TemporaryDirectory(prefix="suizhu-demo-") as scratch:
        config = demo_config(arguments.config, Path(scratch))
        logs.configure(config.kiosk.state_dir, quiet=True)
        album = _album(arguments.pictures)
        story, error = _play(config, teller, album, arguments.pause)
    return _tell(story, error, teller, album, as_json=arguments.json)


def _platforms() -> str:
    """Return what Qt tries in turn: a variable may name a display of somebody else, or one that is gone."""
    return ";".join([*(name for variable, name in DISPLAYS.items() if os.environ.get(variable)), "offscreen"])


def _album(folder: Path | None) -> Album:
    """Return an album for a folder that can be written to, before a guest comes."""
    state_dir = ROOT / "var"
    try:
        if folder is None:
            state_dir.mkdir(mode=0o700, exist_ok=True)  # a kiosk of this clone keeps its outbox there
            folder = state_dir / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = f"no pictures can be kept in {folder}: {error.strerror}"
        raise SystemExit(f"demo: {why}; name another folder with --pictures") from error
    return Album(folder)


def demo_config(path: Path | None, scratch: Path) -> Config:
    """Return demo settings whose state lives in ``scratch`` and whose network waits are short."""
    config = load(path) if path is not None else Config()
    if config.kiosk.mode != "demo":
        raise SystemExit('demo: kiosk.mode is not "demo"; the demo refuses the settings of a real kiosk')
    return config.model_copy(
        update={
            "kiosk": config.kiosk.model_copy(update={"state_dir": scratch / "state"}),
            "camera": config.camera.model_copy(update={"driver": "simulated", "scene_socket": scratch / "scene.sock"}),
            "reporting": config.reporting.model_copy(
                update={"backoff_base_s": 0.5, "backoff_cap_s": 5.0, "first_try_spread_s": 0.0, "poll_s": 0.2}
            ),
        }
    )


def _play(config: Config, teller: Teller, album: Album, pause_s: float | None) -> tuple[Story, Exception | None]:
    from kiosk.start import LiveKiosk, Observers  # Qt is loaded only after the platform was chosen

    watch, story = Watch(), Story()
    running = LiveKiosk(config, Observers(watch.shown, watch.painted, watch.saw, watch.receipted, watch.left))
    running.run(lambda live: _script(live, watch, story, teller, album, pause_s))
    return story, running.error


def _script(running: object, watch: Watch, story: Story, teller: Teller, album: Album, pause_s: float | None) -> None:
    from drivers.camera.stage import Stage
    from kiosk.start import LiveKiosk
    from kiosk.weights import cache

    assert isinstance(running, LiveKiosk)  # noqa: S101  narrows the type for the late import
    sandbox, kiosk = running.sandbox, running.kiosk
    if sandbox is None or kiosk is None or running.config.camera.scene_socket is None:
        raise RuntimeError("the demo needs the embedded sandbox and the simulated camera")
    glass, screen = running.glass, running.screen
    if screen.offscreen and os.environ["QT_QPA_PLATFORM"] != "offscreen":
        teller.say("The display could not be opened: the demo goes on without a window.")
    if pause_s is None:  # a person watches: give them time to see
        pause_s = 0.0 if screen.offscreen else PAUSE_S
    stage = Stage(running.config.camera.scene_socket)
    director = Director(glass, stage, watch, lambda name: album.take(name, glass), pause_s)
    for line in SIMULATED:
        teller.say(line)
    astronaut, hopper = cache.path("demo_face_astronaut"), cache.path("demo_face_hopper")

    watch.wait_for_eyes()
    teller.say("Guest 1 touches “check in”, shows a Suishen code and chooses the face.")
    guest = Guest("suishen", sandbox.issue_suishen("lin"), astronaut)
    _one(director, guest, story, teller, begin_touching=True)
    _receipt(watch, story, teller)

    teller.say("The police endpoint's socket is closed. Guest 2 shows an e-ID QR that is verified offline.")
    sandbox.close_police()
    _one(director, Guest("claim169", sandbox.issue_claim169("zhou"), hopper), story, teller)
    teller.say(f"    key given, the outbox holds: {_told(_queue(kiosk))}")

    teller.say("Guest 3 shows a Suishen code and declines the face; staff finish with the PIN.")
    pin = kiosk.access.one_time_pin or ""
    _one(director, Guest("suishen+staff", sandbox.issue_suishen("shen"), None, pin), story, teller)
    teller.say(f"    key given, the outbox holds: {_told(_queue(kiosk))}")
    teller.say("The police endpoint's socket is open again.")
    sandbox.open_police()
    _receipt(watch, story, teller, 2)
    story.queue = _queue(kiosk)


def _queue(kiosk: Kiosk) -> dict[str, int]:
    return {state.value: n for state, n in kiosk.owner.status().counts.items() if n}


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {state}" for state, n in counts.items())


def _one(director: Director, guest: Guest, story: Story, teller: Teller, *, begin_touching: bool = False) -> None:
    visit = director.play(guest, begin_touching=begin_touching)
    story.visits.append(visit)
    teller.visit(visit)


def _receipt(watch: Watch, story: Story, teller: Teller, count: int = 1) -> None:
    """Wait for receipts of ``count`` more records and print a line for each."""
    told = len(story.receipts)
    watch.wait("a police receipt", lambda: len(watch.receipts) >= told + count, RECEIPT_S)
    for record_id, number, _ in watch.receipts[told:]:
        story.receipts.append({"recordId": record_id, "receiptNo": number})
        teller.say(f"    receipt {number} for record {record_id}")


def _tell(story: Story, error: Exception | None, teller: Teller, album: Album, *, as_json: bool) -> int:
    pictures = [str(path) for path in album.finish()]
    receipted = {receipt["recordId"] for receipt in story.receipts}
    delivered = error is None and len(story.visits) == 3 and all(v.record_id in receipted for v in story.visits)
    if isinstance(error, ScreenClosed):
        teller.say("The demo was ended.")
        return ENDED
    if error is not None:
        teller.say(f"The demo stopped: {type(error).__name__}: {error}")
    machine = round(median(visit.machine_ms for visit in story.visits), 1) if story.visits else None
    teller.say(f"Outcome: {'delivered' if delivered else 'failed'}; pictures: {', '.join(pictures[:1]) or 'none'}")
    if as_json:
        guests = [
            {"credential": v.credential, "steps_ms": v.steps_ms, "machine_ms": v.machine_ms} for v in story.visits
        ]
        result = {
            "outcome": "delivered" if delivered else "failed",
            "receipts": story.receipts,
            "guests": guests,
            "machine_ms": machine,
            "queue": story.queue,
            "pictures": pictures,
        }
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    return 0 if delivered else 1
