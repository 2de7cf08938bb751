"""``queue export TO``: the paper and USB fallback for the police station, unmasked, in an encrypted archive."""

from __future__ import annotations

import argparse
import hashlib
import secrets
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.config import Config
from kiosk.errors import OperationalError
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry, Row, checked_operator, checked_reason
from offline_queue.commands import passphrase, reach
from offline_queue.commands.verb import Told, Verb
from offline_queue.paper import bundle, fonts
from offline_queue.paper.heading import Heading


def run(given: argparse.Namespace, config: Config) -> Told:
    now = datetime.now(ZoneInfo(config.kiosk.timezone))
    heading = Heading.of(
        config.kiosk,
        exported_at=f"{now:%Y-%m-%d %H:%M %z}",
        operator=checked_operator(given.operator),
        reason=checked_reason(given.reason),
        export_id=secrets.token_hex(16),
    )
    # All that may be missing is asked for before the audit says that data were taken
    font = None if given.no_pdf else fonts.find()
    secret = _secret(given)
    path = _file(given.to, heading, now)
    missing = reach.damaged(config)
    inquiry = Inquiry("export", operator=heading.operator, reason=heading.reason, export_id=heading.export_id)
    with reach.answer(config, inquiry) as rows:
        contents = bundle.write(path, secret, heading, rows, font, _progress)
    if not contents.records:
        path.unlink()
        nothing = [f"nothing waits{'' if missing else ': every record is delivered'}, no file was made"]
        return _told(_document(None, contents, heading), nothing, missing)
    if not (given.type_passphrase or given.passphrase_stdin):
        _show(secret, path)
    return _told(_document(path, contents, heading), _sentences(path, contents, heading), missing)


def _told(document: Row, sentences: list[str], missing: int) -> Told:
    """``missing``: damaged files set aside, whose records no export can hold before they are back."""
    if missing:
        file = words.many(missing, "damaged database")
        sentences.append(
            f"INCOMPLETE: what lies in {file} is not back yet. Next: ./run queue salvage, then export again"
        )
    return Told(document | {"set_aside": missing}, sentences, status=1 if missing else 0)


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(words + "\n")


def _secret(given: argparse.Namespace) -> str:
    if given.passphrase_stdin:
        return passphrase.read()
    return passphrase.typed() if given.type_passphrase else passphrase.made()


def _show(secret: str, path: Path) -> None:
    try:
        passphrase.show(secret)
    except OSError as exc:  # nobody could ever open it
        path.unlink()
        raise OperationalError(
            "export: the terminal went away before it showed the passphrase; the file was removed again. "
            "Fix: run it again on a terminal"
        ) from exc


def _file(to: Path, heading: Heading, now: datetime) -> Path:
    if not to.is_dir():
        return to
    name = f"suizhu-{heading.hotel_code}-{heading.kiosk_id}-{now:%Y%m%dT%H%M}-{heading.export_id[:8]}.zip"
    return to / name


def _document(path: Path | None, contents: bundle.Contents, heading: Heading) -> Row:
    told: Row = {
        "file": None if path is None else str(path),
        "records": contents.records,
        "sealed": contents.sealed,
        "unreadable": contents.unreadable,
        "pages": contents.pages,
        "export": heading.export_id,
    }
    if path is not None:
        with path.open("rb") as file:
            told["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return told


def _sentences(path: Path, contents: bundle.Contents, heading: Heading) -> list[str]:
    told = [f"{words.many(contents.records, 'record')} not delivered, {words.many(contents.pages, 'page')}: {path}"]
    if contents.sealed:
        told.append(f"  {contents.sealed} of them are sealed to the recipient's key and lie in it as they are")
    if contents.unreadable:
        told.append(
            f"  {contents.unreadable} of them cannot be opened here: only their numbers are in it; call support"
        )
    return [
        *told,
        f"  export {heading.export_id}, written into the audit with your name and reason",
        "next: take the file to the police station, tell the passphrase there by word of mouth (it opens with 7-Zip),",
        "  print registrations.pdf if they want paper, and delete the file when they have it.",
        "  The records stay in the queue: the kiosk sends them itself when the line is back.",
    ]


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("to", type=Path, metavar="TO", help="a folder, as of a USB stick, or a new file")
    parser.add_argument("--operator", required=True, metavar="NAME", help="who takes the data away; kept in the audit")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the audit, printed on each page")
    parser.add_argument("--no-pdf", action="store_true", help="without the form: only table, records and photos")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--type-passphrase", action="store_true", help="type one instead of having one made")
    secret.add_argument("--passphrase-stdin", action="store_true", help="read it from stdin, where nobody sits")


VERB = Verb(
    "export",
    "take what waits to the police station: form, table and records in an encrypted archive",
    "Writes everything that is not delivered, with names and photos, into a ZIP encrypted with AES-256: a form to "
    "print (PDF), a table (CSV) and each record as it would be sent. A passphrase is made and shown once on the "
    "terminal. Who took it and why goes into the audit. Nothing leaves the queue, nothing is written in clear.",
    ('export /media/usb --operator li.na --reason "network gone since 22 Nov"',),
    run,
    _add,
)
