"""``./run face``: every file gets an answer, none a crash, and nothing odd is accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk.face import command, pictures
from kiosk.face.command import PairsUnreadable, main
from kiosk.face.engine import FaceEngine
from tests.unit import face_scenes as scenes

KEYS = ["reference", "probe", "similarity", "pad_score", "decision", "reason", "ms"]


@pytest.fixture(autouse=True)
def nets_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = scenes.engine()
    monkeypatch.setattr(command.FaceEngine, "load", staticmethod(lambda: engine))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hopper = scenes.standing("hopper")
    written: dict[str, bytes] = {
        "hopper.jpg": scenes.file("hopper"),
        "astronaut.png": scenes.file("astronaut"),
        "hopper.webp": scenes.chip("hopper"),
        "guest.jpg": scenes.jpeg(hopper),
        "far.jpg": scenes.jpeg(scenes.standing("hopper", 120)),
        "print.jpg": scenes.jpeg(scenes.held_up("hopper", 160)),
        "room.jpg": scenes.jpeg(scenes.lobby()),
        "two.jpg": scenes.jpeg(scenes.two()),
        "grey.jpg": bytes(cv2.imencode(".jpg", cv2.cvtColor(hopper, cv2.COLOR_BGR2GRAY))[1]),
        "blank.jpg": scenes.jpeg(np.full((720, 1280, 3), 255, np.uint8)),
        "deep.png": bytes(cv2.imencode(".png", hopper.astype(np.uint16) * 257)[1]),
        "cut.jpg": scenes.file("hopper")[:2000],
        "empty.jpg": b"",
        "text.jpg": b"this is no picture",
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path


def judge(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[dict[str, Any]]]:
    status = main([*argv, "--json"])
    results = json.loads(capsys.readouterr().out)["results"]
    assert all(list(result) == KEYS for result in results)
    return status, results


def pair(capsys: pytest.CaptureFixture[str], folder: Path, reference: str, probe: str) -> tuple[int, dict[str, Any]]:
    status, results = judge(capsys, str(folder / reference), str(folder / probe))
    assert len(results) == 1
    return status, results[0]


@pytest.mark.parametrize("reference", ["hopper.jpg", "hopper.webp"])
def test_the_same_person_is_accepted(folder: Path, reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, result = pair(capsys, folder, reference, "guest.jpg")
    assert status == 0
    assert (result["decision"], result["reason"]) == ("accept", None)
    assert result["similarity"] >= 0.6
    assert result["pad_score"] >= 0.55
    assert result["ms"] > 0


@pytest.mark.parametrize(
    ("reference", "probe", "decision", "reason"),
    [
        ("astronaut.png", "guest.jpg", "no_match", "face.not_matched"),
        ("hopper.jpg", "print.jpg", "try_again", "face.not_live"),
        ("hopper.jpg", "room.jpg", "try_again", "face.none"),
        ("hopper.jpg", "blank.jpg", "try_again", "face.none"),
        ("blank.jpg", "guest.jpg", "try_again", "face.no_portrait"),
        ("hopper.jpg", "two.jpg", "try_again", "face.two"),
        ("hopper.jpg", "far.jpg", "try_again", "face.too_far"),
        ("hopper.jpg", "grey.jpg", "try_again", "probe.grey"),
        ("grey.jpg", "guest.jpg", "try_again", "reference.grey"),
        ("room.jpg", "guest.jpg", "try_again", "face.no_portrait"),
        ("two.jpg", "guest.jpg", "try_again", "face.no_portrait"),
    ],
)
def test_a_pair_that_was_judged_and_not_accepted(
    folder: Path, reference: str, probe: str, decision: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = pair(capsys, folder, reference, probe)
    assert (status, result["decision"], result["reason"]) == (0, decision, reason)


@pytest.mark.parametrize(("reference", "probe"), [("hopper.jpg", "grey.jpg"), ("grey.jpg", "guest.jpg")])
def test_what_is_not_accepted_for_its_grey_is_compared_all_the_same(
    folder: Path, reference: str, probe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, result = pair(capsys, folder, reference, probe)
    assert result["similarity"] > 0.6
    assert result["pad_score"] is not None


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ("absent.jpg", "missing"),
        ("empty.jpg", "unreadable"),
        ("text.jpg", "unreadable"),
        ("cut.jpg", "unreadable"),
        ("folder.jpg", "unreadable"),
        ("deep.png", "not_8_bit"),
        ("nul\0.jpg", "unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_has_its_reason(
    folder: Path, odd: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for names in ((odd, "guest.jpg"), ("hopper.jpg", odd)):
        role = "reference" if names[0] == odd else "probe"
        status, result = pair(capsys, folder, *names)
        assert (status, result["decision"], result["reason"]) == (1, None, f"{role}.{why}")
        assert result["similarity"] is None


def test_a_huge_picture_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 500_000)
    status, result = pair(capsys, folder, "hopper.jpg", "guest.jpg")
    assert (status, result["decision"], result["reason"]) == (1, None, "probe.too_large")


def test_a_file_of_pairs_is_judged_in_order_with_paths_beside_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "reference,probe,genuine\nhopper.jpg,guest.jpg,1\nastronaut.png,guest.jpg,0\nabsent.jpg,guest.jpg,\n"
    (folder / "pairs.csv").write_text(rows, encoding="utf-8")
    assert main(["--pairs", str(folder / "pairs.csv"), "--json"]) == 1
    told = capsys.readouterr()
    results = json.loads(told.out)["results"]
    assert [result["reference"] for result in results] == ["hopper.jpg", "astronaut.png", "absent.jpg"]
    assert [result["decision"] for result in results] == ["accept", "no_match", None]
    assert "1 of 1 genuine" in told.err
    assert "0 of 1 impostor" in told.err


def test_a_list_without_the_third_column_and_with_a_byte_order_mark_will_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pairs.csv").write_bytes(b"\xef\xbb\xbfprobe,reference\r\nguest.jpg,hopper.jpg\r\n")
    status, results = judge(capsys, "--pairs", str(folder / "pairs.csv"))
    assert (status, results[0]["decision"]) == (0, "accept")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n1,2\n", "must name the columns"),
        (b"", "must name the columns"),
        (b"reference,probe\nhopper.jpg\n", "line 2"),
        (b"reference,probe,genuine\nhopper.jpg,guest.jpg,yes\n", "line 2"),
        (b"reference,probe\n\xff\xfe,b\n", "utf-8"),
    ],
)
def test_a_list_with_a_fault_is_refused_naming_it(folder: Path, content: bytes, says: str) -> None:
    (folder / "pairs.csv").write_bytes(content)
    with pytest.raises(PairsUnreadable, match=says):
        main(["--pairs", str(folder / "pairs.csv")])
    with pytest.raises(PairsUnreadable, match="No such file"):
        main(["--pairs", str(folder / "absent.csv")])


@pytest.mark.parametrize("argv", [[], ["one.jpg"], ["a.jpg", "b.jpg", "--pairs", "c.csv"], ["a.jpg", "--pairs", "c"]])
def test_a_wrong_call_is_a_usage_error(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2


def test_people_read_a_line_for_each_pair(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder / "hopper.jpg"), str(folder / "guest.jpg")]) == 0
    told = capsys.readouterr().out
    assert "accept" in told
    assert "similarity 0." in told


def test_loading_needs_the_nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("SUIZHU_CACHE", str(tmp_path))
    with pytest.raises(Exception, match="run models install"):
        FaceEngine.load()
