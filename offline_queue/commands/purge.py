"""``queue purge``: erase what is past its time, say what was erased, hand out and check the receipts of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from kiosk.config import Config
from kiosk.errors import ContractError, OperationalError
from offline_queue import erasure
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry, Row
from offline_queue.commands import reach
from offline_queue.commands.verb import Told, Verb

_LARGEST_RECEIPT_BYTES = 1_000_000


def run(given: argparse.Namespace, config: Config) -> Told:
    _refuse_half_a_command(given)
    if given.report:
        row = reach.row(config, Inquiry("purge", report=True))
        return Told(row, _report(row))
    if given.receipt is not None:
        receipts: Row = {"receipts": reach.rows(config, Inquiry("receipt", given.receipt))}
        return Told(receipts, [json.dumps(receipts, ensure_ascii=False, indent=1)])
    if given.hold is not None:
        row = reach.row(config, Inquiry("hold", given.hold, case=given.case))
        return Told(row, [f"{row['record']} is kept for case {row['case']} until --release; {row['held']} on hold"])
    if given.release is not None:
        row = reach.row(config, Inquiry("release", given.release))
        return Told(row, [f"{row['record']} is erased when its time is over; {row['held']} still on hold"])
    row = reach.row(config, Inquiry("purge", dry_run=given.dry_run))
    return Told(row, _done(row))


def _refuse_half_a_command(given: argparse.Namespace) -> None:
    """What lacks its other half must not fall through to a purge."""
    if (given.hold is None) != (given.case is None):
        raise ContractError(
            "purge: --hold and --case go together, as in --hold RECORD --case 2026-117; nothing was changed"
        )
    if given.key is not None:
        raise ContractError("purge: --key goes with --check, as in --check receipt.json --key PEM; nothing was changed")


def check(given: argparse.Namespace) -> Told | None:
    """Check receipts of erasure that anybody brings: needs no kiosk. None when that is not asked for."""
    if given.check is None:
        return None
    public_pem = None if given.key is None else _read(given.key, "the public key")
    found = [erasure.check(document, public_pem) for document in _documents(_read(given.check, "the receipt"))]
    lines = [line for one in found for line in _checked(one, known=given.key is not None)]
    genuine = bool(found) and not any(one.faults for one in found)
    told: list[Row] = [{"statement": one.statement, "signer": one.signer, "faults": list(one.faults)} for one in found]
    if not found:
        lines = [f"{given.check}: no receipt in it"]
    # Whose key it is that came with a receipt, the receipt cannot prove
    document: Row = {"genuine": genuine if given.key or not genuine else None, "receipts": told}
    return Told(document, lines, status=0 if genuine else 1)


def _done(row: Row) -> list[str]:
    verb = "would be erased" if row["dry_run"] else "erased, keys first"
    told = [f"{words.many(row['records'], 'record')} {verb}: delivered at least {row['retention_days']:g} days ago"]
    if row["held"]:
        told.append(f"{row['held']} past their time are kept for a legal hold")
    if row["clock"] == "machine":
        told.append(f"  by this machine's clock, which says {row['now']}: no authority has told it the time")
    return told


def _report(row: Row) -> list[str]:
    days = row["days"] if isinstance(row["days"], list) else []
    lines = [_day(day) for day in days]
    if not lines:
        lines = ["nothing is erased yet"]
    if row["unsigned"]:
        lines.append(f"{row['unsigned']} receipts wait for their signature: the next purge makes it")
    if row["held"]:
        lines.append(f"{row['held']} records are on legal hold")
    return lines


def _day(day: Row) -> str:
    return f"{day['day']}  {words.many(day['records'], 'text')}, {words.many(day['photos'], 'photo')}"


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_RECEIPT_BYTES)
    except OSError as exc:
        raise OperationalError(f"purge: {what} {path}: {exc.strerror}; fix: name the file that was given") from exc


def _documents(held: bytes) -> list[object]:
    try:
        told = json.loads(held.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ContractError("purge: the receipt is no JSON; fix: the file as --receipt printed it") from None
    if isinstance(told, dict) and isinstance(told.get("receipts"), list):
        return list(told["receipts"])
    return told if isinstance(told, list) else [told]


def _checked(one: erasure.Checked, *, known: bool) -> list[str]:
    told = one.statement
    named = f"record {_plain(told.get('recordId'))} revision {_plain(told.get('revision'))}"
    if one.faults:
        return [f"{named}: NOT GENUINE: {fault}" for fault in one.faults]
    parts = [part for part in _listed(told.get("erased")) if isinstance(part, dict)]
    erased = [f"  {_plain(part.get('part'))} erased {_plain(part.get('at'))}" for part in parts]
    if known:
        return [f"{named}: genuine", *erased, f"  signed by the key that you gave, {one.signer}"]
    return [
        f"{named}: unaltered since it was signed, by the key that came with it",
        *erased,
        f"  signed by key {one.signer}",
        "  Anybody can sign with a key of their own: compare it with the one that the hotel publishes, or give that "
        "with --key",
    ]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _plain(value: object) -> str:
    """Return what a stranger wrote in one line that no terminal obeys."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))[:80] if value is not None else "?"


def _add(parser: argparse.ArgumentParser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--dry-run", action="store_true", help="say what would be erased, erase nothing")
    one.add_argument("--report", action="store_true", help="what was erased until now, by day")
    one.add_argument("--receipt", metavar="RECORD", help="print the signed receipts of a record's erasure")
    one.add_argument("--check", type=Path, metavar="FILE", help="check such receipts; needs no kiosk")
    one.add_argument("--hold", metavar="RECORD", help="keep a record from erasure; wants --case")
    one.add_argument("--release", metavar="RECORD", help="let it be erased again")
    parser.add_argument("--key", type=Path, metavar="PEM", help="with --check: the kiosk's public key")
    parser.add_argument("--case", metavar="NUMBER", help="with --hold: the case that wants it, never a name")


VERB = Verb(
    "purge",
    "erase what is past its time; report, receipts, legal holds",
    "Erases the text of what was delivered longer ago than outbox.retention_days, keys first, and writes a signed "
    "receipt of it (the photos' keys are destroyed when the authority's receipt comes). The kiosk does so itself every "
    "hour; this asks for it now. Receipt number, hash and chain stay: they prove the report and name nobody.",
    (
        "purge --dry-run",
        "purge --report --json",
        "purge --receipt 0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11 > receipt.json",
        "purge --check receipt.json --key kiosk-public.pem",
        "purge --hold 0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11 --case 2026-117",
    ),
    run,
    _add,
    check,
)
