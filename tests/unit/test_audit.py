"""The audit holds what was written, shows what was altered, and loses nothing to a power cut."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk import audit
from kiosk.audit import BEFORE_ALL, AuditLog, Verified, entry_of, verify
from kiosk.errors import OperationalError

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
RECORD = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def written(path: Path, *kinds: str) -> Path:
    log = AuditLog(path, lambda: NOW)
    for number, kind in enumerate(kinds):
        log.write(kind, number=number)
    log.close()
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def kinds(path: Path) -> list[object]:
    return [line["kind"] for line in lines(path)]


def test_an_entry_is_one_line_with_who_when_and_why(path: Path) -> None:
    log = AuditLog(path, lambda: NOW)
    log.write("staff.approved", operator="lan", code="document_and_person_seen", left=None, ok=True, score=0.5)
    (line,) = lines(path)
    assert line["seq"] == 1
    assert line["at"] == "2026-06-01T04:00:00.000+00:00"
    assert line["kind"] == "staff.approved"
    assert line["fields"] == {
        "operator": "lan", "code": "document_and_person_seen", "left": None, "ok": True, "score": 0.5,
    }  # fmt: skip
    log.close()


def test_the_chain_goes_on_after_a_restart(path: Path) -> None:
    written(path, "a.one", "a.two")
    written(path, "a.three")
    assert [line["seq"] for line in lines(path)] == [1, 2, 3]
    found = verify(path)
    assert found == Verified(3, None, "", str(lines(path)[-1]["hash"]))


def test_an_absent_entry_is_no_fault_of_an_empty_file(path: Path) -> None:
    path.touch()
    assert verify(path) == Verified(0, None, "", BEFORE_ALL)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(line=st.integers(0, 4), at=st.floats(0, 1), to=st.integers(0, 255))
def test_any_altered_byte_is_found_in_its_line(tmp_path: Path, line: int, at: float, to: int) -> None:
    path = tmp_path / "altered.jsonl"
    path.unlink(missing_ok=True)
    written(path, *["staff.approved"] * 5)
    whole = path.read_bytes().splitlines(keepends=True)
    old = bytearray(whole[line])
    index = int(at * (len(old) - 2))
    if old[index] == to:
        return
    old[index] = to
    path.write_bytes(b"".join([*whole[:line], bytes(old), *whole[line + 1 :]]))
    found = verify(path)
    assert found.broken_at == line + 1
    assert found.why


@pytest.mark.parametrize(
    ("change", "broken_at", "why"),
    [
        (lambda all_: [all_[0], *all_[2:]], 2, "entry 3 stands where 2 should"),
        (lambda all_: [all_[1], all_[0], *all_[2:]], 1, "entry 2 stands where 1 should"),
        (lambda all_: [*all_[:2], all_[1], *all_[2:]], 3, "entry 2 stands where 3 should"),
        (lambda all_: [*all_[:3], b"{}\n", all_[3]], 4, "not an entry"),
        (lambda all_: [*all_[:3], all_[3].rstrip(b"\n")], 4, "not an entry"),
        (lambda all_: [*all_[:3], all_[3].replace(b'"seq":4', b'"seq": 4')], 4, "not an entry"),
    ],
    ids=["taken out", "swapped", "doubled", "put in", "cut", "same meaning, other bytes"],
)
def test_what_was_done_to_the_file_is_said(path: Path, change: object, broken_at: int, why: str) -> None:
    written(path, "a.a", "a.b", "a.c", "a.d")
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    found = verify(path)
    assert found.broken_at == broken_at
    assert why in found.why


def test_a_rewritten_entry_does_not_fit_even_with_a_hash_of_its_own(path: Path) -> None:
    written(path, "a.a", "a.b", "a.c")
    first, second, third = path.read_bytes().splitlines(keepends=True)
    told, before = entry_of(second), entry_of(first)
    assert told is not None
    forged = audit.following(before, told.at, told.kind, {"number": 99})
    path.write_bytes(first + forged.line() + third)
    assert verify(path).broken_at == 3


@pytest.mark.parametrize("torn", [b'{"seq":3,"at":"20', b"\0\0\0\0", b"\0\0\0\n", b"\xff\n\xfe\r{}\n", b"{}"])
def test_a_torn_last_line_is_set_aside_and_told(path: Path, torn: bytes) -> None:
    written(path, "a.one", "a.two")
    with path.open("ab") as file:
        file.write(torn)
    written(path, "a.three")
    assert kinds(path) == ["a.one", "a.two", "audit.torn", "a.three"]
    assert lines(path)[2]["fields"] == {"bytes": len(torn), "moved_to": "audit.jsonl.torn-1"}
    aside = path.with_name("audit.jsonl.torn-1")
    assert aside.read_bytes() == torn
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert verify(path).broken_at is None


def test_a_second_torn_line_does_not_replace_the_first(path: Path) -> None:
    for torn in (b"one", b"two"):
        written(path, "a.a")
        with path.open("ab") as file:
            file.write(torn)
    written(path)
    assert [path.with_name(f"audit.jsonl.torn-{n}").read_bytes() for n in (1, 2)] == [b"one", b"two"]


def test_a_power_cut_at_any_byte_of_an_entry_loses_no_earlier_one(path: Path) -> None:
    written(path, "a.one", "a.two")
    first, second = path.read_bytes().splitlines(keepends=True)
    for cut in range(len(second)):
        path.write_bytes(first + second[:cut])
        written(path, "a.new")
        assert kinds(path) == ["a.one", "audit.torn", "a.new"] if cut else ["a.one", "a.new"]
        assert verify(path).broken_at is None


def test_a_file_without_any_entry_is_set_aside_whole(path: Path) -> None:
    junk = b"not an audit\n" * 40_000
    path.write_bytes(junk)
    written(path, "a.one")
    assert kinds(path) == ["audit.torn", "a.one"]
    assert path.with_name("audit.jsonl.torn-1").read_bytes() == junk


def test_the_end_is_found_behind_an_entry_longer_than_the_part_first_looked_at(path: Path) -> None:
    log = AuditLog(path)
    log.write("a.long", text="x " * 300_000)
    log.close()
    written(path, "a.two")
    assert [line["seq"] for line in lines(path)] == [1, 2]


def test_an_altered_end_is_kept_as_evidence_and_noted_at_the_next_start(path: Path) -> None:
    written(path, "a.one", "a.two")
    path.write_bytes(path.read_bytes().replace(b'"number":1', b'"number":7'))
    written(path, "a.three")
    assert kinds(path) == ["a.one", "a.two", "audit.broken_before", "a.three"]
    assert verify(path).broken_at == 2


NUMBER = st.sampled_from(["110101199003070011", "11010519491231002X", 110101199003070011, "3" * 32, 1.1e17])
TEXT = st.text(max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=NUMBER | st.tuples(TEXT, NUMBER, TEXT).map(lambda three: "".join(map(str, three))))
def test_no_number_of_a_guest_gets_in(tmp_path: Path, value: str | int | float) -> None:
    path = tmp_path / "numbers.jsonl"
    path.unlink(missing_ok=True)
    log = AuditLog(path)
    log.write("a.number", value=value)
    log.close()
    assert not re.search(r"\d{17}", json.dumps(lines(path)[0]["fields"], ensure_ascii=False))


@pytest.mark.parametrize("value", [RECORD, RECORD.replace("-", ""), "ab" * 32, "0808", "stay.party"])
def test_numbers_and_digests_of_ours_stay(path: Path, value: str) -> None:
    log = AuditLog(path)
    log.write("a.ours", value=value)
    log.close()
    assert lines(path)[0]["fields"] == {"value": value}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", "\n", "\u2028"])
def test_odd_values_still_make_one_line(path: Path, value: float | str) -> None:
    log = AuditLog(path)
    log.write("a.odd", value=value)
    log.close()
    assert verify(path) == Verified(1, None, "", str(lines(path)[0]["hash"]))


def test_the_file_is_for_the_kiosk_alone(path: Path) -> None:
    path.touch(mode=0o644)
    written(path, "a.one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_writer_is_refused(path: Path) -> None:
    log = AuditLog(path)
    with pytest.raises(OperationalError, match="another process"):
        AuditLog(path)
    log.close()
    AuditLog(path).close()


def test_a_folder_that_cannot_be_written_is_told_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OperationalError, match=r"audit\.jsonl: .*check the disk"):
        AuditLog(tmp_path / "file" / "audit.jsonl")


def test_entries_of_several_threads_make_one_chain(path: Path) -> None:
    log = AuditLog(path)
    threads = [threading.Thread(target=lambda: [log.write("a.a") for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert verify(path).entries == 80
    assert verify(path).broken_at is None


def test_a_full_disk_adds_nothing_and_the_next_entry_fits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(path)
    log.write("a.one")
    real = os.pwrite

    def half(fd: int, data: bytes, offset: int) -> int:
        if len(data) > 50:
            return real(fd, data[:50], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        log.write("a.two")
    assert kinds(path) == ["a.one"]
    monkeypatch.undo()
    log.write("a.three")
    log.close()
    assert kinds(path) == ["a.one", "a.three"]
    assert verify(path).broken_at is None


def test_an_entry_counts_only_once_it_is_on_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(path)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
    log.write("a.one")
    assert synced == [path.stat().st_size]
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
    with pytest.raises(OSError, match="I/O"):
        log.write("a.two")
    monkeypatch.undo()
    log.close()
    assert kinds(path) == ["a.one"]
    with pytest.raises(OSError, match="descriptor"):
        log.write("a.late")
    log.close()


def test_a_torn_line_stays_until_an_entry_tells_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(path, "a.one")
    whole = path.read_bytes() + b'{"seq":2'
    path.write_bytes(whole)
    real = os.pwrite

    def full(fd: int, data: bytes, offset: int) -> int:
        if b"audit.torn" in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OperationalError, match="No space"):
        AuditLog(path)
    assert path.read_bytes() == whole
    monkeypatch.undo()
    written(path)
    assert kinds(path) == ["a.one", "audit.torn"]
    assert path.with_name("audit.jsonl.torn-1").read_bytes() == b'{"seq":2'
    assert verify(path).broken_at is None
