"""``./run scan`` tells what each picture holds, and what it could not open, in one run."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.scanner.command import main, preview
from tests.unit.test_decode import PAYLOADS, picture


def saved(folder: Path, name: str, image: Any) -> str:
    path = folder / name
    assert cv2.imwrite(str(path), image)
    return str(path)


def results(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    last = capsys.readouterr().out.strip().splitlines()[-1]
    return list(json.loads(last)["results"])


def test_each_picture_is_a_result_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = saved(tmp_path, "随申码.png", picture(PAYLOADS["cbor"]))
    two = saved(tmp_path, "b.jpg", picture(PAYLOADS["url"]))
    assert main([one, two, "--json"]) == 0
    first, second = results(capsys)
    assert [first["file"], second["file"]] == [one, two]
    assert base64.b64decode(first["codes"][0]["bytes_b64"]) == PAYLOADS["cbor"]
    assert base64.b64decode(second["codes"][0]["bytes_b64"]) == PAYLOADS["url"]
    assert first["codes"][0]["decoder"] == "zxing-cpp"
    assert first["ms"] > 0
    assert "error" not in first


def test_a_picture_without_a_code_is_a_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blank = saved(tmp_path, "blank.png", np.full((300, 300, 3), 200, np.uint8))
    assert main([blank, "--json"]) == 0
    assert results(capsys)[0]["codes"] == []


def test_a_file_that_cannot_be_used_fails_after_all_others_were_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    good = saved(tmp_path, "good.png", picture(b"read all the same"))
    files = [str(tmp_path / "missing.png"), str(text), str(empty), str(tmp_path), good]
    assert main([*files, "--json"]) == 1
    *bad, last = results(capsys)
    assert [result["file"] for result in bad] == files[:4]
    assert all(result["error"] and result["codes"] == [] for result in bad)
    assert "No such file" in bad[0]["error"]
    assert base64.b64decode(last["codes"][0]["bytes_b64"]) == b"read all the same"


@pytest.mark.parametrize("kind", ["16 bit", "transparent", "gray"])
def test_kinds_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    gray = picture(b"any kind")
    images = {
        "16 bit": gray.astype(np.uint16) * 257,
        "transparent": np.dstack([np.zeros_like(gray)] * 3 + [255 - gray]),
        "gray": gray,
    }
    assert main([saved(tmp_path, "kind.png", images[kind]), "--json"]) == 0
    assert base64.b64decode(results(capsys)[0]["codes"][0]["bytes_b64"]) == b"any kind"


def test_text_for_a_reader_names_size_and_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = saved(tmp_path, "words.png", picture(PAYLOADS["utf8"]))
    raw = saved(tmp_path, "raw.png", picture(PAYLOADS["nul"]))
    blank = saved(tmp_path, "blank.png", np.zeros((50, 50), np.uint8))
    assert main([words, raw, blank, "missing.png"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"{len(PAYLOADS['utf8'])} bytes by zxing-cpp" in lines[0]
    assert "随住" in lines[0]
    assert "00 00 00 61 00" in lines[1]
    assert "no code" in lines[2]
    assert lines[3].startswith("error: missing.png: No such file")


def test_a_preview_is_short() -> None:
    assert len(preview(b"x" * 4000)) < 70
    assert preview(b"\xff" * 100).endswith("ff…")
