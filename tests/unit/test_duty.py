"""What staff read of the outbox on their sheet: how near the law's time is, the line, the disk, what waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiosk.capabilities import duty
from kiosk.staff.duty import Duty
from offline_queue.disk import Disk
from offline_queue.owner import LineView, OutboxOwner
from offline_queue.recovery.mending import MendingView
from offline_queue.recovery.second_copy import CopyView
from tests.outbox_kit import SHANGHAI, opened, registration, reject
from ui.screen.viewmodels.duty import told


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as held:
        yield held


def seen(owner: OutboxOwner) -> Duty:
    return duty(owner.status(), owner.clock.wall())


@pytest.mark.parametrize(
    ("ago_min", "due", "code"), [(1, "green", "good"), (31, "amber", "warn"), (49, "red", "bad"), (61, "alarm", "bad")]
)
def test_staff_see_how_near_the_laws_time_is(owner: OutboxOwner, ago_min: int, due: str, code: str) -> None:
    owner.outbox.put(registration(occurred_at=datetime.now(SHANGHAI) - timedelta(minutes=ago_min)))
    now = seen(owner)
    assert (now.waiting, now.due) == (1, due)
    assert now.due_in_min in (59 - ago_min, 60 - ago_min)
    assert told(now, "en")[0][0] == code


def test_an_empty_outbox_is_told_in_three_quiet_lines(owner: OutboxOwner) -> None:
    owner.disk = Disk(Path("/"), owner.settings, free=lambda folder: 1 << 40)
    rows = told(seen(owner), "en")
    assert [(code, value) for code, _, value in rows] == [
        ("good", "all delivered"),
        ("good", "open"),
        ("good", "enough"),
    ]


def test_what_was_rejected_waits_for_a_person(owner: OutboxOwner) -> None:
    put = registration()
    owner.outbox.put(put)
    reject(owner, put.record_id)
    assert seen(owner).to_decide == 1
    assert ("bad", "To decide", "1 rejected or unreadable: a manager must decide") in told(seen(owner), "en")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (LineView(), "good", "open"),
        (LineView(open=False, failures=3, why="time-out"), "warn", "down"),
        (LineView(open=False, breaker=True, why="E103"), "bad", "call support"),
        (LineView(open=False, breaker=True, why="EAA hotelCode"), "bad", "licence has expired, tell a manager"),
    ],
)
def test_staff_see_whether_the_line_waits_or_somebody_must_mend_it(
    owner: OutboxOwner, line: LineView, code: str, words: str
) -> None:
    owner.line = line
    (row,) = (row for row in told(seen(owner), "en") if row[1] == "Police line")
    assert row[0] == code
    assert words in row[2]


@pytest.mark.parametrize(
    ("off_s", "words"),
    [(None, None), (60.0, None), (-119.0, None), (600.0, "10 min fast"), (-3 * 86_400.0, "72 h slow")],
)
def test_a_wrong_clock_is_told_from_two_minutes_on(owner: OutboxOwner, off_s: float | None, words: str | None) -> None:
    owner.line = replace(owner.line, clock_off_s=off_s)
    values = [value for _, label, value in told(seen(owner), "en") if label == "This clock"]
    assert [value.split(",")[0] for value in values] == ([words] if words else [])


@pytest.mark.parametrize(("left_mb", "code"), [(900, "good"), (400, "warn"), (150, "bad"), (20, "bad")])
def test_staff_see_the_disk_before_guests_do(owner: OutboxOwner, left_mb: int, code: str) -> None:
    missing = owner.settings.ballast_mb
    owner.disk = Disk(Path("/nowhere"), owner.settings, free=lambda folder: (left_mb + missing) << 20)
    *_, row = told(seen(owner), "zh-CN")
    assert row[0] == code
    assert (str(left_mb) in row[2]) is (code != "good")


def test_staff_see_that_a_damaged_outbox_is_being_mended_and_that_the_copy_is_behind(owner: OutboxOwner) -> None:
    status = replace(owner.status(), mending=MendingView(waiting=1), copy=CopyView(on=True, behind=True, why="gone"))
    rows = {label: (code, value) for code, label, value in told(duty(status, 0.0), "en")}
    assert rows["Recovery"] == ("warn", "a file was damaged, records are brought back")
    assert rows["Second copy"] == ("warn", "has fallen behind, please call support")
    assert "Recovery" not in {label for _, label, _ in told(seen(owner), "en")}


def test_hours_are_told_as_hours() -> None:
    late = Duty(waiting=2000, due="alarm", due_in_min=-4310)
    words = "2000 waiting, the first is 71 h overdue: a manager exports them"
    assert told(late, "en")[0] == ("bad", "Police reports", words)


def test_when_nobody_can_say_nothing_is_claimed() -> None:
    assert told(None, "en") == ()
