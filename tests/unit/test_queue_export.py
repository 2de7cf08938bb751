"""The paper fallback: what waits goes to the police station whole, and to nobody else."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from kiosk.config import OutboxSection, load
from kiosk.errors import ContractError, KioskError, OperationalError
from kiosk.sandbox.receiver import FILES, HYBRID, Receiver
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import passphrase, reach
from offline_queue.paper import archive, bundle, fonts
from offline_queue.states import EventState
from tests.outbox_kit import (
    ADDRESS,
    ID_PHOTO,
    LIVE_PHOTO,
    NAME,
    NUMBER,
    bytes_on_disk,
    claim,
    deliver,
    open_owner,
    opened,
    raw,
    registration,
)
from tests.unit.queue_kit import Kiosk

pytestmark = pytest.mark.timeout(60)

WHO = ("--operator", "li.na", "--reason", "network gone since 22 Nov")


@pytest.fixture(params=[True, False], ids=["running", "stopped"])
def kiosk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=request.param)) as made:
        yield made


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Kiosk]:
    with closing(Kiosk(tmp_path, running=False)) as made:
        yield made


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands where the terminal is, and keeps what was shown on it."""
    shown = tmp_path / "terminal"
    shown.touch()
    monkeypatch.setattr(passphrase, "TERMINAL", shown)
    return shown


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


def exported(kiosk: Kiosk, to: Path, *more: str) -> int:
    """Export without the form, which takes a second: the tests of the form ask for it."""
    return kiosk.asked("export", str(to), *WHO, "--no-pdf", *more)


def opened_archive(path: Path, secret: str) -> dict[str, bytes]:
    with pyzipper.AESZipFile(path) as found:
        found.setpassword(secret.encode())
        return {name: found.read(name) for name in found.namelist()}


def shown_on(terminal: Path) -> str:
    found = re.search(r"passphrase: (\S+)", terminal.read_text())
    assert found is not None
    return found[1]


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


def test_everything_that_waits_goes_along_whole(
    kiosk: Kiosk, usb: Path, terminal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(kiosk, usb, "--json") == 0
    document = told(capsys)
    (path,) = usb.iterdir()
    assert (document["file"], document["records"], document["sealed"]) == (str(path), 2, 0)
    files = opened_archive(path, shown_on(terminal))
    record = json.loads(files[f"records/{kiosk.waiting}-r1.json"])
    assert (record["recordId"], record["guest"]["name"], record["guest"]["idNumber"]) == (kiosk.waiting, NAME, NUMBER)
    assert files[f"photos/{kiosk.waiting}-r1-id.jpg"] == ID_PHOTO
    assert files[f"photos/{kiosk.waiting}-r1-live.jpg"] == LIVE_PHOTO
    assert f"records/{kiosk.rejected}-r1.json" in files
    assert not any(kiosk.delivered in name for name in files)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["export"]["operator"], manifest["export"]["hotel_code"]) == ("li.na", "3101009999")
    assert manifest["export"]["export_id"] == document["export"]


def test_the_table_shows_an_id_number_whole_and_runs_nothing(kiosk: Kiosk, usb: Path, terminal: Path) -> None:
    exported(kiosk, usb)
    files = opened_archive(next(usb.iterdir()), shown_on(terminal))
    rows = list(csv.DictReader(io.StringIO(files["registrations.csv"].decode("utf-8-sig"))))
    assert [row["记录编号"] for row in rows] == [kiosk.rejected, kiosk.waiting]
    assert (rows[1]["姓名 name"], rows[1]["证件号码 idNumber"]) == (NAME, "\t" + NUMBER)
    assert rows[0]["房号 roomNo"] == "'=HYPERLINK(1)"
    assert rows[0]["末次答复"] == "E24 民族"


def test_the_form_holds_the_guests_name_in_an_embedded_font(stopped: Kiosk, usb: Path, terminal: Path) -> None:
    stopped.asked("export", str(usb), *WHO)
    pdf = opened_archive(next(usb.iterdir()), shown_on(terminal))["registrations.pdf"]
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert b"/FontFile" in pdf
    mapped = b"".join(re.findall(rb"beginbfchar(.*?)endbfchar", pdf, re.DOTALL)).upper()
    for sign in NAME + "旅馆":
        assert f"{ord(sign):04X}".encode() in mapped


def test_without_the_passphrase_nothing_can_be_read(kiosk: Kiosk, usb: Path, terminal: Path) -> None:
    exported(kiosk, usb)
    (path,) = usb.iterdir()
    held = path.read_bytes()
    for secret in (NAME, NUMBER, ADDRESS, NUMBER[6:14], shown_on(terminal)):
        assert secret.encode() not in held
    assert ID_PHOTO[:40] not in held
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pyzipper.AESZipFile(path) as found:
        for info in found.infolist():
            assert (info.wz_aes_strength, info.wz_aes_version) == (3, pyzipper.zipfile_aes.WZ_AES_V2)
        found.setpassword(b"not-the-passphrase")
        with pytest.raises(RuntimeError, match="Bad password"):
            found.read("registrations.csv")


def test_who_took_it_and_why_is_audited_and_no_guest_is_named_there(
    kiosk: Kiosk, usb: Path, terminal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported(kiosk, usb, "--json")
    (entry,) = kiosk.audited("queue.export")
    assert entry.fields["operator"] == "li.na"
    assert entry.fields["reason"] == "network gone since 22 Nov"
    assert entry.fields["export"] == told(capsys)["export"]
    (after,) = kiosk.audited("queue.exported")
    assert (after.fields["export"], after.fields["records"]) == (entry.fields["export"], 2)
    held = (kiosk.state_dir / "audit.jsonl").read_text()
    for secret in (NAME, NUMBER, shown_on(terminal)):
        assert secret not in held


def test_the_passphrase_is_on_the_terminal_alone(
    kiosk: Kiosk, usb: Path, terminal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported(kiosk, usb)
    printed = capsys.readouterr()
    assert shown_on(terminal) not in printed.out + printed.err
    assert shown_on(terminal).encode() not in bytes_on_disk(kiosk.state_dir)
    assert terminal.read_text().count(shown_on(terminal)) == 1


_WRITTEN: list[str] = []
_watching = False


def _watch(event: str, given: tuple[Any, ...]) -> None:
    if _watching and event == "open" and isinstance(given[0], str) and given[2] & 0o3:
        _WRITTEN.append(given[0])


def test_nothing_is_written_in_clear_on_the_way(stopped: Kiosk, usb: Path, terminal: Path) -> None:
    global _watching  # a hook of the interpreter cannot be taken away again
    sys.addaudithook(_watch)
    _WRITTEN.clear()
    _watching = True
    try:
        stopped.asked("export", str(usb), *WHO)
    finally:
        _watching = False
    (path,) = usb.iterdir()
    others = {Path(name) for name in _WRITTEN} - {path.with_name(path.name + archive.PART), terminal}
    assert str(path) + archive.PART in _WRITTEN
    assert all(other.parent == stopped.state_dir for other in others), others
    held = bytes_on_disk(stopped.state_dir)
    assert NAME.encode() not in held
    assert NUMBER.encode() not in held


def test_without_a_terminal_nothing_is_taken(kiosk: Kiosk, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "TERMINAL", usb / "gone" / "tty")
    with pytest.raises(OperationalError, match=r"no terminal.*--passphrase-stdin"):
        exported(kiosk, usb)
    assert list(usb.iterdir()) == []
    assert kiosk.audited("queue.export") == []


def test_a_passphrase_from_stdin_opens_it(kiosk: Kiosk, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("four wild geese over the lake\n"))
    assert exported(kiosk, usb, "--passphrase-stdin") == 0
    assert "registrations.csv" in opened_archive(next(usb.iterdir()), "four wild geese over the lake")


@pytest.mark.parametrize("secret", ["", "short", "aaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_weak_passphrase_is_refused(kiosk: Kiosk, usb: Path, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(secret + "\n"))
    with pytest.raises(ContractError, match="at least 16 signs"):
        exported(kiosk, usb, "--passphrase-stdin")
    assert list(usb.iterdir()) == []


def test_made_passphrases_differ_and_hold_no_sign_that_is_taken_for_another() -> None:
    made = {archive.new_passphrase() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){4}[a-hjkmnp-z2-9]{4}", one) for one in made)


def test_a_machine_without_a_chinese_font_is_told_so_before_anything_happens(
    kiosk: Kiosk, usb: Path, terminal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OperationalError, match=r"fonts-noto-cjk.*--no-pdf"):
        fonts.find((tmp_path,))
    monkeypatch.setattr(fonts.find, "__defaults__", ((tmp_path,),))
    with pytest.raises(OperationalError, match="no font"):
        kiosk.asked("export", str(usb), *WHO)
    assert kiosk.audited("queue.export") == []
    assert exported(kiosk, usb) == 0
    files = opened_archive(next(usb.iterdir()), shown_on(terminal))
    assert "registrations.csv" in files
    assert "registrations.pdf" not in files


def test_a_sign_that_the_font_lacks_is_told_by_its_number() -> None:
    font = fonts.find()
    assert font.shown("林随安 ABDULLAH·") == "林随安 ABDULLAH·"
    assert font.shown("林\U000e0100\x07") == "林〔U+E0100〕 " or font.shown("林\x07") == "林 "
    assert font.shown("\U0001f600") == "〔U+1F600〕"


@pytest.mark.parametrize("kind", ["file", "link", "nowhere"])
@pytest.mark.usefixtures("terminal")
def test_an_export_overwrites_nothing(kiosk: Kiosk, usb: Path, kind: str) -> None:
    to = usb / "police.zip"
    (usb / "precious").write_text("precious")
    match kind:
        case "file":
            to.write_text("precious")
        case "link":
            to.symlink_to(usb / "precious")
        case _:
            to = usb / "no" / "police.zip"
    with pytest.raises(OperationalError, match=r"nothing was written.*Fix"):
        exported(kiosk, to)
    assert (usb / "precious").read_text() == "precious"
    assert kind != "file" or to.read_text() == "precious"


@pytest.mark.usefixtures("terminal")
def test_half_an_export_is_removed(kiosk: Kiosk, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: archive.Archive, name: str, data: bytes) -> str:
        if name == "registrations.csv":
            raise OSError(28, "No space left on device")
        self.zip.writestr(name, data)
        return ""

    monkeypatch.setattr(archive.Archive, "add", full)
    with pytest.raises(OperationalError, match=r"No space.*removed"):
        exported(kiosk, usb)
    assert list(usb.iterdir()) == []


def test_a_terminal_that_goes_away_leaves_no_file_that_nobody_can_open(
    stopped: Kiosk, usb: Path, terminal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(secret: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(passphrase, "show", gone)
    with pytest.raises(OperationalError, match="removed again"):
        exported(stopped, usb)
    assert list(usb.iterdir()) == []
    assert terminal.read_text() == ""


@pytest.mark.usefixtures("terminal")
def test_where_nothing_waits_no_file_is_made(tmp_path: Path, usb: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Kiosk(tmp_path, running=False)) as kiosk:
        with opened(kiosk.state_dir) as owner:
            deliver(owner, kiosk.waiting)
        with closing(raw(kiosk.state_dir)) as store:
            assert store.execute("SELECT count(*) FROM event WHERE state = 'REJECTED'").fetchone() == (1,)
        assert kiosk.asked("retry", kiosk.rejected) == 0
        with opened(kiosk.state_dir) as owner:
            deliver(owner, kiosk.rejected)
        assert exported(kiosk, usb) == 0
    assert "no file was made" in capsys.readouterr().out
    assert list(usb.iterdir()) == []


def test_a_record_that_cannot_be_opened_is_told_by_its_number(tmp_path: Path, usb: Path, terminal: Path) -> None:
    with closing(Kiosk(tmp_path, running=False)) as kiosk:
        with closing(raw(kiosk.state_dir)) as store:
            store.execute(
                "UPDATE data_key SET wrapped = zeroblob(length(wrapped)) WHERE part = 'text' AND event = "
                "(SELECT max(id) FROM event)"
            )
        owner = open_owner(kiosk.state_dir)
        claim(owner)
        counts = owner.status().counts
        owner.close()
        assert counts[EventState.QUARANTINED] == 1
        assert exported(kiosk, usb) == 0
        files = opened_archive(next(usb.iterdir()), shown_on(terminal))
        assert json.loads(files["manifest.json"])["contents"]["unreadable"] == 1
        assert f"records/{kiosk.waiting}-r1.json" not in files
        assert kiosk.waiting in files["registrations.csv"].decode("utf-8-sig")


def test_a_sealed_guest_goes_along_sealed_and_the_authority_opens_it(
    stopped: Kiosk, usb: Path, terminal: Path, tmp_path: Path
) -> None:
    opens = Receiver(tmp_path)
    with opened(stopped.state_dir, settings=OutboxSection(recipient_key_file=tmp_path / FILES[HYBRID])) as owner:
        put = owner.outbox.put(registration())
    assert stopped.asked("export", str(usb), *WHO) == 0
    files = opened_archive(next(usb.iterdir()), shown_on(terminal))
    assert json.loads(files["manifest.json"])["contents"]["sealed"] == 1
    body = json.loads(files[f"records/{put}-r1.json"])
    guest = opens.guest(body)
    assert guest is not None
    assert guest["name"] == NAME
    assert opens.photo(body, body["photos"][0], files[f"photos/{put}-r1-id.sealed"]) == ID_PHOTO
    line = next(line for line in files["registrations.csv"].decode("utf-8-sig").splitlines() if put in line)
    assert body["sealedGuest"]["kid"] in line
    assert NAME not in line


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"reason": "why not"}, "operator"),
        ({"operator": "li na", "reason": "why not"}, "operator"),
        ({"operator": "li.na"}, "reason"),
        ({"operator": "li.na", "reason": "a\x1b[2Jb c"}, "reason"),
        ({"operator": "li.na", "reason": "why not"}, "32 hex"),
    ],
)
def test_a_kiosk_gives_nothing_to_who_does_not_say_why(kiosk: Kiosk, given: dict[str, str], why: str) -> None:
    with pytest.raises(KioskError, match=why):
        reach.rows(load(kiosk.config), Inquiry("export", **given))  # type: ignore[arg-type]
    assert kiosk.audited("queue.export") == []


def test_where_the_audit_cannot_be_written_nothing_is_taken(
    kiosk: Kiosk, usb: Path, terminal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kiosk.audit.AuditLog.write", full)
    with pytest.raises(KioskError, match="audit cannot be written"):
        exported(kiosk, usb)
    assert list(usb.iterdir()) == []
    assert terminal.read_text() == ""


def test_a_broken_photo_costs_the_form_nothing(tmp_path: Path, terminal: Path) -> None:
    assert terminal.exists()
    row = {
        "record": "r",
        "revision": 1,
        "op": "CI",
        "state": "READY",
        "text": registration().text.decode(),
        "photos": {"id": "/9j/AAAA"},
        "content_hash": "00",
        "due_at": None,
    }
    heading = bundle.Heading("随住", "Suizhu", "3101009999", "k-1", "310100990000", "now", "li.na", "why", "0" * 32)
    contents = bundle.write(tmp_path / "x.zip", "four wild geese over it", heading, [row], fonts.find())
    assert contents.pages == 1
