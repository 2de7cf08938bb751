"""``./run audit``: verify says whether and where the chain is broken, show prints it, the kiosk goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.audit import AuditLog
from kiosk.staff.audit_command import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.write("consent.identity", consent="c-1", language="zh-CN")
    log.write("staff.unlocked", operator="兰", role="clerk", reason=None)
    log.write("staff.approved", operator="兰", code="document_and_person_seen", reason="face.declined")
    log.close()
    return path


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"clerk", b"Clerk"))


def test_a_whole_chain_exits_0_and_tells_its_newest_hash(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--file", str(path)]) == 0
    newest = json.loads(path.read_bytes().splitlines()[-1])["hash"]
    assert capsys.readouterr().out == f"3 entries, the chain is whole; newest hash {newest}\n"


def test_a_broken_chain_exits_1_and_names_the_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(path)
    assert main(["verify", "--file", str(path)]) == 1
    assert "audit.jsonl, line 2: entry 2 does not match its hash" in capsys.readouterr().out
    assert main(["verify", "--file", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["broken_at"], told["entries"]) == (False, 2, 3)


def test_verify_answers_in_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--file", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["broken_at"], told["why"], told["entries"]) == (True, None, "", 3)


def test_show_prints_each_entry_in_a_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--file", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[0] == "2"
    assert lines[1].endswith("staff.unlocked          operator=兰  role=clerk")
    assert "code=document_and_person_seen  operator=兰  reason=face.declined" in lines[2]


def test_show_prints_the_newest_only(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--file", str(path), "--last", "1", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert entry["seq"] == 3
    assert entry["fields"]["operator"] == "兰"
    with pytest.raises(SystemExit):
        main(["show", "--file", str(path), "--last", "0"])


def test_show_says_when_nothing_was_written_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "audit.jsonl"
    empty.touch()
    assert main(["show", "--file", str(empty)]) == 0
    assert capsys.readouterr().out == "no entries yet\n"


def test_show_also_prints_a_broken_file_without_obeying_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = AuditLog(path)
    log.write("a.b", text="\x1b[2J")
    log.close()
    with path.open("ab") as file:
        file.write(b"\x1b[31mjunk\n")
    assert main(["show", "--file", str(path)]) == 0
    out = capsys.readouterr().out
    assert "line 5: not an entry" in out
    assert "\x1b" not in out
    assert main(["show", "--file", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"][-1] == {"line": 5, "unreadable": True}


def test_the_kiosk_may_go_on_writing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = AuditLog(path)
    log.write("referral.opened", number="317")
    assert main(["verify", "--file", str(path)]) == 0
    log.write("referral.closed", number="317")
    log.close()
    assert capsys.readouterr().out.startswith("4 entries")


def test_the_settings_say_where_the_kiosk_keeps_it(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[kiosk]\nstate_dir = "."\n', encoding="utf-8")
    assert main(["verify", "--config", str(config)]) == 0
    assert capsys.readouterr().out.startswith("3 entries")


def test_an_absent_or_unreadable_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--file", str(tmp_path / "none.jsonl")]) == 1
    assert "there is none; a kiosk makes it at its first start" in capsys.readouterr().err
    assert main(["verify", "--file", str(tmp_path)]) == 1
    assert "Is a directory" in capsys.readouterr().err
