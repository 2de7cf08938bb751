"""No field of a guest can be read in any file that a kiosk writes: while it waits, once delivered, or after erasure."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.checkin.events import Finished
from kiosk.checkin.states import Done, Welcome
from kiosk.demo.command import demo_config
from kiosk.model import Registration, RegistrationId
from kiosk.sandbox.process import SandboxProcess
from offline_queue import retention
from offline_queue.states import EventState
from offline_queue.store import Store
from tests import traces
from tests.e2e.lobby import HOPPER, Lobby, eventually, face
from tests.outbox_kit import registration

pytestmark = pytest.mark.timeout(180)

TABLES = ("code_tables.json",)
"""The authority's own tables: every room of the house, and every code there is."""
MONTH_S = 31 * 86_400


@pytest.fixture
def whole_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One folder for everything that a kiosk may write: state, logs, and what programs leave in their temp folder."""
    folder = Path(tempfile.mkdtemp(prefix="nl-"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Watched(Lobby):
    """A lobby that keeps, in memory, what the guest put into the outbox."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        config = demo_config(None, folder)
        small = config.outbox.model_copy(update={"ballast_mb": 1})
        super().__init__(sandbox.info, config.model_copy(update={"outbox": small}))

    def __enter__(self) -> Watched:
        super().__enter__()
        self.put: list[Registration] = []
        build = self.kiosk._register

        def seen(case: object) -> object:
            made = build(case)  # type: ignore[arg-type]
            if isinstance(made, Registration):
                self.put.append(made)
            return made

        self.kiosk.runner._world = replace(self.kiosk.runner._world, register=seen)  # type: ignore[arg-type]
        return self

    def check_in(self, code: bytes) -> RegistrationId:
        self.to_face_consent(code)
        self.stage.show_face(face(HOPPER))
        self.agrees("face")
        done = self.until(Done)
        assert isinstance(done, Done)
        self.stage.show_nothing()
        self.says(Finished())
        self.until(Welcome)
        return done.record_id


def test_a_whole_visit_leaves_nothing_of_the_guest_on_the_disk(tmp_path: Path, whole_disk: Path) -> None:
    with SandboxProcess(0, tmp_path) as sandbox, Watched(sandbox, whole_disk) as lobby:
        sandbox.close_police()
        record = lobby.check_in(sandbox.issue_claim169("zhou"))
        (put,) = lobby.put
        assert len(put.photos) == 2
        guest = traces.of(put)
        assert len(guest) > 15
        eventually("a try", lambda: lobby.told("sync: endpoint: "))
        assert traces.search(guest, [whole_disk], but=TABLES) == []  # it waits
        sandbox.open_police()
        lobby.watch.wait("the receipt", lambda: any(told[0] == record for told in lobby.watch.receipts), 60)
        assert traces.search(guest, [whole_disk], but=TABLES) == []  # it is delivered
        owner = lobby.kiosk.owner
        retention.purge_all(owner, 30, now=lambda: time.time() + MONTH_S)
        assert owner.call(Store.counts)[EventState.PURGED] == 1
        assert traces.search(guest, [whole_disk], but=TABLES) == []  # it is erased
        names = {path.name for path in whole_disk.rglob("*") if path.is_file()}
        assert names >= {"queue.db", "queue.db-wal", "audit.jsonl", "kiosk.log", "visits.jsonl", "state.db"}
    assert traces.search(guest, [whole_disk], but=TABLES) == []  # and the kiosk is stopped


@pytest.mark.parametrize("field", ["guest.name", "guest.idNumber", "guest.address", "guest.birthDate", "guest.sex"])
def test_the_search_finds_what_lies_open_in_any_coding(tmp_path: Path, field: str) -> None:
    """The control: a search that finds nothing anywhere proves nothing."""
    put = registration()
    forms = traces.of(put)[field]
    assert len(forms) >= (4 if field == "guest.sex" else 40)
    for number, (form, value) in enumerate(forms):
        (tmp_path / str(number)).write_bytes(b"something before " + value + b" and after")
        found = {(trace.field, trace.file) for trace in traces.search({field: forms}, [tmp_path])}
        assert (field, str(number)) in found, form


@pytest.mark.parametrize("before", range(5))
def test_the_search_finds_a_name_within_a_longer_base64_text(tmp_path: Path, before: int) -> None:
    put = registration()
    for name, text in (("text", put.text), ("photo", put.photos[0].jpeg)):
        (tmp_path / name).write_bytes(base64.b64encode(bytes(before) + text))
    found = {(trace.field, trace.file) for trace in traces.search(traces.of(put), [tmp_path])}
    assert {("guest.name", "text"), ("guest.idNumber", "text"), ("photo id", "photo")} <= found


def test_the_search_reads_names_of_files_too(tmp_path: Path) -> None:
    put = registration()
    (tmp_path / f"{json.loads(put.text)['guest']['idNumber']}.jpg").touch()
    assert {trace.field for trace in traces.search(traces.of(put), [tmp_path])} >= {"guest.idNumber"}
