"""The authority's code tables: saved together or not at all, and old refusals sent again once a version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import ReportingSection
from offline_queue.delivery import code_tables
from offline_queue.delivery.code_tables import CodeTables, send_again
from offline_queue.delivery.endpoint import Limits, Table
from offline_queue.delivery.line import Pace
from offline_queue.delivery.replies import Answered, Fault, Reply, Unanswered
from offline_queue.delivery.talk import Talk
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from tests.outbox_kit import event, opened, registration, reject, state

GOOD = Answered(200, readable=True)


class Tables:
    """An endpoint with two tables; ``told`` changes what it says of one."""

    def __init__(self, version: str = "v1") -> None:
        self.limits = Limits(50, schema_version=version)
        self.time = None
        self.version = version
        self.told: dict[str, tuple[Reply, Table | None]] = {}
        self.asked: list[str] = []
        self.limits_reply: Reply = GOOD

    def read_limits(self) -> Reply:
        return self.limits_reply

    def table(self, name: str) -> tuple[Reply, Table | None]:
        self.asked.append(name)
        if name in self.told:
            return self.told[name]
        if name in ("rooms", "ethnicity"):
            return GOOD, Table(name, self.version, {"01": "name"})
        return Answered(404, readable=True, code="E404"), None


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path / "box") as opened_owner:
        yield opened_owner


def tables(owner: OutboxOwner, endpoint: Tables, folder: Path) -> CodeTables:
    other: Any = endpoint
    return CodeTables(owner, Talk(other, owner.clock, Pace.of(ReportingSection()), lambda: 0.5), folder)


def kept(folder: Path) -> tuple[str, dict[str, dict[str, str]]]:
    return code_tables.read(folder / code_tables.FILE)


def test_tables_are_fetched_once_and_then_when_the_version_changes(owner: OutboxOwner, tmp_path: Path) -> None:
    endpoint = Tables()
    one = tables(owner, endpoint, tmp_path)
    assert one.run() == 3600
    assert kept(tmp_path) == ("v1", {"ethnicity": {"01": "name"}, "rooms": {"01": "name"}})
    one.run()
    assert endpoint.asked == list(code_tables.NAMES)
    endpoint.version, endpoint.limits = "v2", Limits(50, schema_version="v2")
    one.run()
    assert (one.version, kept(tmp_path)[0]) == ("v2", "v2")
    assert tables(owner, endpoint, tmp_path).version == "v2"  # after a restart


def test_an_authority_that_tells_no_version_is_asked_once_and_after_a_doubt(owner: OutboxOwner, tmp_path: Path) -> None:
    endpoint = Tables()
    endpoint.limits = Limits(50)
    one = tables(owner, endpoint, tmp_path)
    one.run()
    one.run()
    assert len(endpoint.asked) == len(code_tables.NAMES)
    one.doubt()
    one.run()
    assert len(endpoint.asked) == 2 * len(code_tables.NAMES)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ((Unanswered(Fault.TIMEOUT), None), "timeout"),
        ((Answered(500, readable=True), None), "http 500"),
        ((GOOD, None), "a code table that cannot be read"),
        ((GOOD, Table("rooms", "v2", {"01": "x"})), "the tables changed while they were fetched"),
    ],
)
def test_half_a_set_of_tables_is_not_kept(
    owner: OutboxOwner, tmp_path: Path, told: tuple[Reply, Table | None], says: str
) -> None:
    endpoint = Tables()
    endpoint.told["rooms"] = told
    one = tables(owner, endpoint, tmp_path)
    assert one.run() == 300
    assert (one.trouble, one.version, kept(tmp_path)) == (says, "", ("", {}))
    endpoint.told.clear()
    one.run()
    assert (one.trouble, one.version) == ("", "v1")


def test_an_authority_without_tables_leaves_those_that_are_built_in(owner: OutboxOwner, tmp_path: Path) -> None:
    endpoint = Tables()
    endpoint.told = {name: (Answered(404, readable=True), None) for name in code_tables.NAMES}
    one = tables(owner, endpoint, tmp_path)
    one.run()
    assert one.trouble == "the authority has no code tables"
    assert not (tmp_path / code_tables.FILE).exists()


def test_limits_that_cannot_be_read_are_trouble_of_their_own(owner: OutboxOwner, tmp_path: Path) -> None:
    endpoint = Tables()
    endpoint.limits_reply = Unanswered(Fault.UNREACHABLE)
    one = tables(owner, endpoint, tmp_path)
    one.run()
    assert (one.trouble, endpoint.asked) == ("unreachable", [])


def test_a_file_that_cannot_be_written_is_told_and_leaves_no_half(owner: OutboxOwner, tmp_path: Path) -> None:
    (tmp_path / code_tables.FILE).mkdir()
    one = tables(owner, Tables(), tmp_path)
    one.run()
    assert one.trouble.startswith("code_tables.json cannot be written")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("code_tables")] == ["code_tables.json"]


def test_a_refusal_for_old_tables_goes_again_once_a_version_and_others_never(owner: OutboxOwner) -> None:
    outdated, wrong = registration(), registration()
    for put, why in ((outdated, "E308 record"), (wrong, "E22 guest.name")):
        owner.outbox.put(put)
        reject(owner, put.record_id, why=why)

    def again(version: str) -> int:
        return owner.call(lambda store: send_again(store, owner.clock.wall(), version))

    assert (again("v2"), again("v2")) == (1, 0)
    assert state(owner, outdated.record_id) is EventState.READY
    assert event(owner, outdated.record_id).why == "code tables v2"
    assert state(owner, wrong.record_id) is EventState.REJECTED
    reject(owner, outdated.record_id, why="E308 record")
    assert again("v2") == 0  # a person must look
    assert again("v3") == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": "1"}', '{"tables": {}}', '{"version": "1", "tables": 7}'])
def test_a_file_that_is_broken_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / code_tables.FILE).write_text(text)
    assert kept(tmp_path) == ("", {})


def test_however_many_records_are_refused_the_tables_are_not_fetched_at_once_again(
    owner: OutboxOwner, tmp_path: Path
) -> None:
    one = tables(owner, Tables(), tmp_path)
    one.due_at = owner.clock.mono() + one.run()
    for _ in range(100):
        one.doubt()
    assert 5 < one.due_at - owner.clock.mono() <= 10


def test_a_record_that_is_refused_now_waits_for_no_look_that_fell_due_in_an_outage(
    owner: OutboxOwner, tmp_path: Path
) -> None:
    one = tables(owner, Tables(), tmp_path)
    now = owner.clock.mono()
    one.due_at = now - 3600
    one.doubt()
    assert now <= one.due_at <= now + 5
