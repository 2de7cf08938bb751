"""``./run credential issue suishen|claim169 PERSON --out FILE.png``: a sandbox credential as a QR picture.

With ``--dir`` the sandbox that runs in that folder issues it, so that its gateway, or a kiosk that pins its
issuer, knows it. Without, only ``claim169`` can be issued, by an issuer made for this one picture: its public
key is put beside the picture, for a kiosk to pin.
"""

from __future__ import annotations

import argparse
import base64
from pathlib import Path

import segno

from kiosk.sandbox.control import ask
from kiosk.sandbox.credentials import FAULTS, Issuer
from kiosk.sandbox.people import PEOPLE

MODULE_PX = 8


def main(argv: list[str]) -> int:
    """Issue one credential and draw it."""
    parser = argparse.ArgumentParser(prog="./run credential", description="Issue a sandbox credential as a QR picture.")
    issue = parser.add_subparsers(dest="action", required=True).add_parser("issue", help="issue one and draw it")
    issue.add_argument("kind", choices=("suishen", "claim169"))
    issue.add_argument("person", choices=tuple(PEOPLE))
    issue.add_argument("--out", type=Path, required=True, help="picture to write, .png")
    issue.add_argument("--fault", choices=FAULTS, help="spoil it (claim169 only)")
    issue.add_argument("--dir", type=Path, help="folder of a running sandbox, as ./run sandbox prints it")
    wanted = parser.parse_args(argv)
    if wanted.out.suffix != ".png":
        parser.error(f"--out {wanted.out}: the picture is a .png")
    if wanted.kind == "suishen" and (wanted.fault or wanted.dir is None):
        parser.error("suishen: needs --dir with the folder that a running ./run sandbox names, and has no --fault")
    if wanted.dir is not None:
        payload, issuer = _ask(wanted), f"the sandbox in {wanted.dir}"
    else:
        payload, issuer = _throw_away(wanted)
    draw(payload, wanted.out)
    print(
        f"{wanted.out}: {wanted.kind} of the invented person {wanted.person}, {len(payload)} bytes, issued by {issuer}"
    )
    return 0


def draw(payload: bytes, path: Path) -> None:
    """Write a QR picture. Raises OSError."""
    code = segno.make_qr(payload.decode("ascii"), error="l", boost_error=False)
    with path.open("wb") as file:
        code.save(file, kind="png", scale=MODULE_PX, border=4)


def _ask(wanted: argparse.Namespace) -> bytes:
    arguments = {"fault": wanted.fault} if wanted.kind == "claim169" else {}
    return base64.b64decode(ask(wanted.dir, f"issue_{wanted.kind}", person=wanted.person, **arguments))


def _throw_away(wanted: argparse.Namespace) -> tuple[bytes, str]:
    from kiosk.sandbox import portraits

    issuer, person = Issuer.new(), PEOPLE[wanted.person]
    keys = wanted.out.with_suffix(".issuer")
    issuer.write_public_keys(keys)
    portrait = portraits.code_webp(person.portrait) if person.portrait else None
    return issuer.issue(person, portrait, wanted.fault), f"a throw-away issuer whose public keys are in {keys}"
