"""``./run sandbox``: identity gateway, police endpoint and hotel system on loopback, until Ctrl-C.

``./run sandbox fault|script|mix|clear|faults|code|ledger … --dir DIR`` spoils a running one or looks into it
(``trouble_command``).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from kiosk.sandbox import trouble_command
from kiosk.sandbox.control import ControlServer
from kiosk.sandbox.info import SandboxInfo
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.world import Behaviour, Sandbox

TOML = """\
[gateway]
url = "{info.gateway_url}"
ca_file = "{info.ca_file}"
client_cert_file = "{info.client_cert_file}"
client_key_file = "{info.client_key_file}"

[reservations]
driver = "simulated"
url = "{info.hotel_url}"
ca_file = "{info.ca_file}"
client_cert_file = "{info.client_cert_file}"
client_key_file = "{info.client_key_file}"
csv_path = "{info.csv_path}"

[reporting]
url = "{info.police_url}"
ca_file = "{info.ca_file}"
client_cert_file = "{info.client_cert_file}"
client_key_file = "{info.client_key_file}"
device_key_file = "{info.device_key_file}"
receipts_key_file = "{info.receipt_key_file}"

[credentials]
issuer_keys_dir = "{info.issuer_keys_dir}"
suishen_hosts = ["{info.suishen_host}"]

[outbox]
# Write-only, sealed to the sandbox's police; mlkem768-x25519.json and sm2.json lie beside it:
# recipient_key_file = "{info.recipients_dir}/x25519.json"
# Chinese algorithms; reporting.device_key_file = "{info.device_sm2_key_file}" then:
# suite = "gm"
"""


def main(argv: list[str]) -> int:
    """Run a sandbox in the foreground, or change the faults of a running one."""
    if argv and argv[0] in trouble_command.VERBS:
        return trouble_command.main(argv)
    verbs = f"To ask a running one: ./run sandbox {'|'.join(sorted(trouble_command.VERBS))} --help"
    about = "Play the kiosk's authorities on loopback."
    parser = argparse.ArgumentParser(prog="./run sandbox", description=about, epilog=verbs)
    parser.add_argument("--latency-ms", type=float, default=50, help="what each call takes (default 50)")
    parser.add_argument("--delay-s", type=float, default=0.03, help="how long the police leave a batch in their queue")
    parser.add_argument("--capacity-per-s", type=float, default=0, help="what the police answer in a second (0: all)")
    parser.add_argument("--ledger-in-memory", action="store_true", help="keep the police's ledger off the disk")
    parser.add_argument("--dir", type=Path, default=None, help="keep keys and databases here (default: a new folder)")
    parser.add_argument("--json", action="store_true", help="print addresses and files as one line of JSON")
    parser.add_argument("--serve", action="store_true", help="for a parent process: end when standard input ends")
    arguments = parser.parse_args(argv)
    names = (field.name for field in fields(Behaviour))
    with _running(arguments.dir, Behaviour(**{name: getattr(arguments, name) for name in names})) as info:
        print(info.to_json() if arguments.serve or arguments.json else _words(info), flush=True)
        _wait_for_end_of_input() if arguments.serve else _wait_for_signal()
    return 0


@contextmanager
def _running(folder: Path | None, behaviour: Behaviour) -> Iterator[SandboxInfo]:
    run_dir = folder.absolute() if folder is not None else Path(tempfile.mkdtemp(prefix="suizhu-sandbox-"))
    try:
        sandbox = Sandbox(run_dir, behaviour)
        control = ControlServer(sandbox)
        try:
            yield sandbox.info
        finally:
            control.close()
            sandbox.close()
    finally:
        if folder is None:
            shutil.rmtree(run_dir, ignore_errors=True)


def _wait_for_end_of_input() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group: the parent says when to end
    while os.read(sys.stdin.fileno(), 4096):
        pass


def _wait_for_signal() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def _words(info: SandboxInfo) -> str:
    return f"""\
Suizhu sandbox: invented people, keys made for this run only. Never for a real hotel.

  identity gateway   {info.gateway_url}
  police endpoint    {info.police_url}
  hotel system       {info.hotel_url}
  activation         {info.activation_url}
  folder             {info.run_dir}
  people             {", ".join(PEOPLE)}

Point a kiosk at it with these lines in config.toml (mode = "demo"):

{TOML.format(info=info)}
A code to show:      ./run credential issue suishen lin --dir {info.run_dir} --out code.png
Make trouble:        ./run sandbox fault police_busy retry_after_s=5 --dir {info.run_dir}
What was reported:   ./run sandbox ledger --dir {info.run_dir}
Look into it:        sqlite3 -readonly {info.run_dir}/police.db .dump
                     (gateway.db: code, pass; hotel.db: booking; police.db: batch, item, record, receipt)

Ctrl-C ends it."""
