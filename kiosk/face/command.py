"""``./run face``: compare a reference picture with a probe, one pair or a file of pairs."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2

from kiosk.errors import ContractError
from kiosk.face.decision import Outcome
from kiosk.face.engine import FaceEngine
from kiosk.face.stills import Judge, Result


class PairsUnreadable(ContractError):
    """The file of pairs is no CSV with the two columns."""


@dataclass(frozen=True, slots=True)
class Pair:
    reference: str
    probe: str
    genuine: bool | None = None
    """Whether both show one person; None where the file does not say."""


def main(argv: list[str]) -> int:
    """Return 0 when every pair was judged, 1 when a file could not be read, 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        prog="./run face", description="Compare a reference picture with a probe: one pair, or many."
    )
    parser.add_argument("reference", nargs="?", help="portrait: JPEG, PNG or WebP")
    parser.add_argument("probe", nargs="?", help="picture that stands for one camera frame")
    parser.add_argument("--pairs", type=Path, metavar="FILE.csv", help="columns reference, probe, optional genuine 1/0")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    if (asked.pairs is None) != (asked.probe is not None) or (asked.pairs is not None and asked.reference is not None):
        parser.error("give a reference and a probe, or --pairs FILE.csv")
    folder = Path() if asked.pairs is None else asked.pairs.parent
    pairs = [Pair(asked.reference, asked.probe)] if asked.pairs is None else read_pairs(asked.pairs)
    cv2.setNumThreads(1)
    judge = Judge(FaceEngine.load(), folder)
    results = [judge.judge(pair.reference, pair.probe) for pair in pairs]
    if asked.json:
        print(json.dumps({"results": [asdict(result) for result in results]}))
    else:
        _print(results)
    _summarise(pairs, results)
    return 1 if any(result.decision is None for result in results) else 0


def read_pairs(path: Path) -> list[Pair]:
    """Read the CSV. Raises PairsUnreadable naming the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if not {"reference", "probe"} <= set(rows.fieldnames or ()):
                raise PairsUnreadable(f"{path}: the first line must name the columns reference and probe")
            return [_pair(path, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise PairsUnreadable(f"{path}: {exc}") from exc


def _pair(path: Path, line: int, row: dict[str, str | None]) -> Pair:
    reference, probe, genuine = ((row.get(name) or "").strip() for name in ("reference", "probe", "genuine"))
    if not reference or not probe or genuine not in ("", "0", "1"):
        raise PairsUnreadable(f"{path}, line {line}: needs a reference, a probe, and genuine 1, 0 or nothing")
    return Pair(reference, probe, None if genuine == "" else genuine == "1")


def _print(results: list[Result]) -> None:
    for result in results:
        alike = "-" if result.similarity is None else f"{result.similarity:.3f}"
        pad = "-" if result.pad_score is None else f"{result.pad_score:.3f}"
        says = f"{result.decision or 'not judged'} {result.reason or ''}".rstrip()
        print(f"{result.reference}  {result.probe}  similarity {alike}  pad {pad}  {says}  {result.ms:.0f} ms")


def _summarise(pairs: list[Pair], results: list[Result]) -> None:
    """Count, on stderr, where the file says which pairs are genuine."""
    for genuine, name in ((True, "genuine"), (False, "impostor")):
        of_kind = [result for pair, result in zip(pairs, results, strict=True) if pair.genuine is genuine]
        if of_kind:
            accepted = sum(result.decision == Outcome.ACCEPT for result in of_kind)
            sys.stderr.write(f"face: {accepted} of {len(of_kind)} {name} pairs accepted\n")
