"""The authority's daily list of receipts against ours: what is missing, foreign or different is never silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.errors import ConfigError
from kiosk.sandbox.process import SandboxProcess
from offline_queue.delivery import receipts_list
from offline_queue.delivery.troubles import judge_told
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, delivery
from tests.outbox_kit import NAME, NUMBER, event, invented_number, state

pytestmark = pytest.mark.timeout(60)
DAY = 86_400


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    """An authority of its own for each test: a list names everything that was reported on a day."""
    with SandboxProcess(latency_ms=0) as process:
        yield process


@contextmanager
def listed(sandbox: SandboxProcess, folder: Path, **more: str) -> Iterator[Delivery]:
    with delivery(sandbox, folder, receipts_key_file=sandbox.info.receipt_key_file, **more) as line:
        yield line


def reported(sandbox: SandboxProcess, folder: Path, count: int = 2) -> list[str]:
    """Report so many records today, and let the authority's next day come."""
    with delivery(sandbox, folder) as line:
        records = [line.put(number=invented_number(serial)) for serial in range(1, count + 1)]
        line.until_state(EventState.DELIVERED, *records)
    sandbox.fault("police_clock_skew", s=DAY)
    return records


def checked(line: Delivery) -> str:
    """Wait until yesterday's list was held against ours; return what staff are told."""
    line.until("the list checked", lambda: line.owner.line.receipts_checked)
    return " ".join(line.owner.line.doubts)


def test_a_list_that_agrees_is_noted_and_asked_for_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    records = reported(sandbox, tmp_path)
    with listed(sandbox, tmp_path) as line:
        assert checked(line) == ""
        yesterday = receipts_list.today(line.sync._talk.now()) - timedelta(days=1)
        assert line.owner.line.receipts_checked == yesterday.isoformat()
        assert {event(line.owner, one).flag for one in records} == {None}
        lists = line.sync._lists
        assert lists is not None
        line.until("it rests until midnight", lambda: lists.due_at > line.owner.clock.mono() + 60)
    sandbox.fault("police_error", path="/v1/receipts", status=500)  # a second question would be in trouble
    with listed(sandbox, tmp_path) as line:
        assert checked(line) == ""


def test_a_record_missing_from_the_list_is_asked_for_and_flagged(
    sandbox: SandboxProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    present, gone = reported(sandbox, tmp_path)
    sandbox.fault("police_list_omits", record=gone)
    with listed(sandbox, tmp_path) as line:
        assert "1 missing" in checked(line)
        flag = event(line.owner, gone).flag or ""
        assert flag.startswith("missing in the authority's list of ")
        assert flag.endswith("asked for, it has it with our receipt")
        assert event(line.owner, present).flag is None
        assert state(line.owner, gone) is EventState.DELIVERED
    assert "1 missing" in caplog.text
    assert NAME not in caplog.text
    assert NUMBER not in caplog.text


def test_a_receipt_that_was_taken_back_is_flagged_with_the_reason(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.fault("police_reject_later", code="E301", times=1)
    (record_id,) = reported(sandbox, tmp_path, count=1)
    sandbox.fault("police_list_omits", record=record_id)
    with listed(sandbox, tmp_path) as line:
        assert "1 missing" in checked(line)
        assert "E301" in (event(line.owner, record_id).flag or "")


def test_a_record_that_the_authority_lost_is_flagged(sandbox: SandboxProcess, tmp_path: Path) -> None:
    (record_id,) = reported(sandbox, tmp_path, count=1)
    sandbox.fault("police_list_omits", record=record_id)
    sandbox.fault("police_forget", record=record_id)
    with listed(sandbox, tmp_path) as line:
        assert "1 missing" in checked(line)
        assert "does not have it" in (event(line.owner, record_id).flag or "")


def test_other_content_on_the_list_is_flagged(sandbox: SandboxProcess, tmp_path: Path) -> None:
    _, other = reported(sandbox, tmp_path)
    sandbox.fault("police_list_other_hash", record=other)
    with listed(sandbox, tmp_path) as line:
        assert "1 differing" in checked(line)
        assert (event(line.owner, other).flag or "").startswith("differs from the authority's list")


def test_receipts_that_were_swapped_between_two_records_are_found_by_the_list(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.fault("police_swapped", times=1)
    with delivery(sandbox, tmp_path, start=False) as line:
        both = [line.put(number=invented_number(serial)) for serial in (1, 2)]
        line.sync.start()
        line.until_state(EventState.DELIVERED, *both)
    sandbox.fault("police_clock_skew", s=DAY)
    with listed(sandbox, tmp_path) as line:
        assert "2 differing" in checked(line)
        assert all("another receipt" in (event(line.owner, one).flag or "") for one in both)


def test_a_record_in_our_name_that_we_never_sent_is_told(
    sandbox: SandboxProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reported(sandbox, tmp_path)
    sandbox.fault("police_list_adds")
    with listed(sandbox, tmp_path) as line:
        assert "1 foreign" in checked(line)
        day = line.owner.line.receipts_checked
        told = json.loads(line.owner.call(lambda store: store.fact(f"receipts {day}")) or "{}")
    assert (told["listed"], len(told["foreign"])) == (3, 1)
    assert f"record {told['foreign'][0]} of {day} is not ours (asked for: it does not have it)" in caplog.text


def test_records_of_the_hotels_other_kiosk_are_not_foreign(sandbox: SandboxProcess, tmp_path: Path) -> None:
    reported(sandbox, tmp_path / "other")
    with delivery(sandbox, tmp_path / "ours", start=False) as line:
        talk, endpoint = line.sync._talk, line.sync._endpoint
        assert talk.ask(lambda: judge_told(endpoint.read_limits())) is None
        _, told = endpoint.receipts((receipts_list.today(talk.now()) - timedelta(days=1)).isoformat())
        assert told is not None
        assert {one.device for one in told.listed} == {"demo-01"}
        for device, foreign in (("demo-01", 2), ("demo-02", 0)):
            found = receipts_list.compare(told, (), lambda record_id, revision: None, device)
            assert len(found.foreign) == foreign


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("police_list_unsigned", "signature does not fit"),
        ("police_list_unchained", "chain breaks at line 1"),
        ("police_error", "http 500"),
        ("police_nonsense", "captive portal"),
        ("police_gbk", "UTF-8"),
        ("police_truncated", "cut"),
    ],
)
def test_a_list_that_proves_nothing_is_told_and_asked_for_again_and_holds_no_record_back(
    sandbox: SandboxProcess, tmp_path: Path, fault: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    reported(sandbox, tmp_path)
    sandbox.fault(fault, path="/v1/receipts") if not fault.startswith("police_list") else sandbox.fault(fault)
    with listed(sandbox, tmp_path) as line:
        line.until("the trouble told", lambda: line.owner.line.doubts)
        assert says in line.owner.line.doubts[0]
        assert line.owner.line.receipts_checked == ""
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(9)))
        assert line.owner.line.failures == 0
        sandbox.clear_faults()
        sandbox.fault("police_clock_skew", s=DAY)
        assert line.sync._lists is not None
        line.sync._lists.due_at = 0.0
        line.sync.wake()
        assert checked(line) == ""


def test_the_lists_of_days_when_the_kiosk_was_off_are_checked_too(
    sandbox: SandboxProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reported(sandbox, tmp_path)
    with listed(sandbox, tmp_path) as line:
        checked(line)
        first = line.owner.line.receipts_checked
    sandbox.clear_faults()
    sandbox.fault("police_clock_skew", s=4 * DAY)
    with listed(sandbox, tmp_path) as line:
        line.until("one more", lambda: line.owner.line.receipts_checked > first)
        yesterday = receipts_list.today(line.sync._talk.now()) - timedelta(days=1)
        line.until("yesterday", lambda: line.owner.line.receipts_checked == yesterday.isoformat())
    days = [line for line in caplog.messages if line.startswith("receipts: list of")]
    assert days == []


def test_a_key_that_cannot_verify_lists_is_told_at_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_bytes(b"no key")
    for path in (tmp_path / "none.pem", tmp_path / "absent.pem", sandbox.info.device_key_file):
        with pytest.raises(ConfigError, match="receipts_key_file"):
            receipts_list.load_key(path)
