"""A recorded visit comes out again, whatever its guest's code held; one that today's flow leaves is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.checkin import replay
from kiosk.checkin.journal import Entry, Journal

Line = tuple[str, str, str, str]

TO_CONFIRMED: list[Line] = [
    ("Welcome", "CodeRead", "", "AskingIdentityConsent"),
    ("AskingIdentityConsent", "Consented", "identity", "Resolving"),
    ("Resolving", "Resolved", "", "LookingUp"),
    ("LookingUp", "ReservationFound", "", "ShowingReservation"),
]
PORTRAIT_IN_THE_CODE_NO_ETHNICITY: list[Line] = [
    *TO_CONFIRMED,
    ("ShowingReservation", "ReservationConfirmed", "", "AskingFields"),
    ("AskingFields", "FieldsChosen", "", "AskingFaceConsent"),
    ("AskingFaceConsent", "Consented", "face", "Capturing"),
    ("Capturing", "FaceVerified", "", "Saving"),
    ("Saving", "Saved", "", "IssuingKey"),
    ("IssuingKey", "KeyIssued", "", "Done"),
    ("Done", "Finished", "", "Welcome"),
]
NO_PORTRAIT_NO_ETHNICITY: list[Line] = [
    *TO_CONFIRMED,
    ("ShowingReservation", "ReservationConfirmed", "", "AskingFields"),
    ("AskingFields", "FieldsChosen", "", "StaffNeeded"),
    ("StaffNeeded", "StaffApproved", "", "Saving"),
]
PARTY_AND_BALANCE: list[Line] = [
    *TO_CONFIRMED[:3],
    ("LookingUp", "ReservationFound", "", "StaffNeeded"),
    ("StaffNeeded", "StaffApproved", "", "StaffNeeded"),
    ("StaffNeeded", "StaffApproved", "", "ShowingReservation"),
]


def write(log: Path, lines: list[Line], visit: int = 7) -> Path:
    journal = Journal(log)
    for line in lines:
        journal.write(Entry(visit, 0, *line))
    journal.close()
    return log


@pytest.mark.parametrize("lines", [PORTRAIT_IN_THE_CODE_NO_ETHNICITY, NO_PORTRAIT_NO_ETHNICITY, PARTY_AND_BALANCE])
def test_a_visit_comes_out_as_recorded_whatever_its_guest_brought(tmp_path: Path, lines: list[Line]) -> None:
    assert replay.main([str(write(tmp_path / "visits.jsonl", lines))]) == 0


def test_each_visit_is_judged_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "visits.jsonl", [("Welcome", "Started", "", "Done")], visit=1)
    write(log, PORTRAIT_IN_THE_CODE_NO_ETHNICITY, visit=2)
    assert replay.main([str(log), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "visits": [
            {"visit": 1, "steps": 1, "played": 0, "end": "Welcome"},
            {"visit": 2, "steps": 11, "played": 11, "end": "Welcome"},
        ]
    }


@pytest.mark.parametrize(
    "line", [("Welcome", "CodeRefused", "code.forgotten", "Scanning"), ("Welcome", "Rang", "", "")]
)
def test_a_word_that_the_flow_no_longer_knows_differs(tmp_path: Path, line: Line) -> None:
    assert replay.main([str(write(tmp_path / "visits.jsonl", [line]))]) == 1


def test_a_visit_of_a_restless_guest_is_played_to_its_end(tmp_path: Path) -> None:
    restless: list[Line] = [
        *TO_CONFIRMED,
        *[("ShowingReservation", "HelpAsked", "", "StaffNeeded"), ("StaffNeeded", "Back", "", "ShowingReservation")]
        * 999,
    ]
    assert replay.main([str(write(tmp_path / "visits.jsonl", restless))]) == 0


@pytest.mark.parametrize("text", ["no json\n", '{"visit": 1}\n'])
def test_what_is_no_log_is_told_with_its_line(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "visits.jsonl").write_text(text)
    assert replay.main([str(tmp_path / "visits.jsonl")]) == 1
    assert "visits.jsonl, line 1: not an entry" in capsys.readouterr().err


def test_a_full_disk_costs_the_entry_and_never_the_end_of_the_kiosk() -> None:
    journal = Journal(Path("/dev/full"))
    journal.write(Entry(1, 0, *TO_CONFIRMED[0]))
    journal.close()
    assert journal.lost == 1
