"""The running kiosk's socket: for its own user, bounded in size and time, and nobody's put waits for a caller."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.audit import AUDIT_FILE, AuditLog
from kiosk.errors import ContractError, OutboxUnavailable
from offline_queue.answering import asking, attending
from offline_queue.answering.control import ControlServer
from offline_queue.answering.inquiry import Inquiry
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from tests.outbox_kit import ADDRESS, NAME, NUMBER, deliver, new_id, opened, registration, reject, state
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.timeout(30)

ROOT = Path(__file__).parents[2]
SOCKET = "queue.sock"


class Pressed:
    """Stands where the sync thread does: counts who asked for a try."""

    def __init__(self) -> None:
        self.times = 0

    def try_now(self) -> None:
        self.times += 1


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder: pytest's own is too long a name for a socket."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        yield Path(name)


@pytest.fixture
def owner(folder: Path) -> Iterator[OutboxOwner]:
    with opened(folder) as held:
        yield held


@pytest.fixture
def sync() -> Pressed:
    return Pressed()


@pytest.fixture
def server(owner: OutboxOwner, folder: Path, sync: Pressed) -> Iterator[ControlServer]:
    audit = AuditLog(folder / AUDIT_FILE)
    made = ControlServer(owner, folder / SOCKET, sync=sync, audit=audit)
    made.start()
    yield made
    made.stop()
    audit.close()


def ask(folder: Path, inquiry: Inquiry) -> list[dict[str, Any]]:
    sock = asking.call(folder / SOCKET)
    assert sock is not None
    return list(asking.rows(sock, inquiry))


def raw_ask(folder: Path, sent: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(folder / SOCKET))
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as file:
            return [json.loads(line) for line in file]


@pytest.mark.usefixtures("server")
def test_status_list_and_show(owner: OutboxOwner, folder: Path) -> None:
    first, second = owner.outbox.put(registration()), owner.outbox.put(registration())
    deliver(owner, first)
    (status,) = ask(folder, Inquiry("status"))
    assert (status["counts"], status["unsent"], status["due"]) == ({"READY": 1, "DELIVERED": 1}, 1, "green")
    assert [row["record"] for row in ask(folder, Inquiry("list"))] == [second, first]
    assert [row["record"] for row in ask(folder, Inquiry("list", limit=1))] == [second]
    (waiting,) = ask(folder, Inquiry("list", waiting=True))
    assert (waiting["record"], waiting["state_words"], waiting["overdue"]) == (second, "waits to be sent", False)
    (shown,) = ask(folder, Inquiry("show", first))
    assert (shown["name"], shown["number"], shown["parts"]) == ("林*安", "310199********0026", ["text"])
    assert (shown["receipt"], shown["due_at"]) == ("R-1", None)


@pytest.mark.usefixtures("server")
def test_no_answer_holds_personal_data(owner: OutboxOwner, folder: Path) -> None:
    record_id = owner.outbox.put(registration())
    for asked in (Inquiry("status"), Inquiry("list"), Inquiry("show", record_id), Inquiry("waiting")):
        told = json.dumps(ask(folder, asked), ensure_ascii=False)
        assert told
        for secret in (NAME, NUMBER, ADDRESS, NUMBER[6:14], "1990-01-01"):
            assert secret not in told


@pytest.mark.usefixtures("server")
def test_an_export_holds_all_that_waits_and_nothing_else(owner: OutboxOwner, folder: Path) -> None:
    ids = [owner.outbox.put(registration()) for _ in range(130)]
    deliver(owner, ids[0])
    reject(owner, ids[1])
    assert [row["record"] for row in ask(folder, Inquiry("waiting"))] == ids[1:]


@pytest.mark.usefixtures("server")
def test_a_retry_moves_the_record_and_wakes_the_sync(owner: OutboxOwner, folder: Path, sync: Pressed) -> None:
    record_id = owner.outbox.put(registration())
    reject(owner, record_id)
    (row,) = ask(folder, Inquiry("retry", record_id))
    assert (row["state"], sync.times) == ("READY", 1)
    assert state(owner, record_id) is EventState.READY
    assert owner.call(lambda store: store.chain_after(0, 99))[-1].detail == f"retry by uid {os.geteuid()}"
    assert ask(folder, Inquiry("retry")) == []
    assert sync.times == 2


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "asked", [Inquiry("show", new_id()), Inquiry("show", "x"), Inquiry("retry", new_id()), Inquiry("list", limit=501)]
)
def test_a_question_without_an_answer_is_told_so(folder: Path, asked: Inquiry) -> None:
    with pytest.raises(ContractError, match="outbox"):
        ask(folder, asked)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\n",
        b"no json\n",
        b"[]\n",
        b'{"ask": "erase"}\n',
        b'{"ask": ["list"]}\n',
        b'{"ask": "list", "limit": true}\n',
        b'{"ask": "list", "limit": 0}\n',
        b'{"ask": "show", "record": 7}\n',
        b'{"ask": "list", "waiting": "no"}\n',
        b"\xff\xfe\n",
        b"[" * 4000 + b"\n",
        b'{"ask": "list", "x": "' + b"x" * 5000 + b'"}\n',
    ],
)
def test_nonsense_is_refused_and_the_next_caller_served(folder: Path, sent: bytes) -> None:
    (told,) = raw_ask(folder, sent)
    assert set(told) == {"error"}
    assert ask(folder, Inquiry("list")) == []


@pytest.mark.usefixtures("server")
def test_a_flood_is_not_read_to_its_end(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(folder / SOCKET))
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            flood(sock)


def flood(sock: socket.socket) -> None:
    for _ in range(200):
        sock.sendall(b"x" * 65_536)


@pytest.mark.usefixtures("server")
def test_a_caller_that_says_nothing_is_let_go_and_nobody_waits_for_it(owner: OutboxOwner, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(folder / SOCKET))
        silent.sendall(b'{"ask"')
        watch = Stopwatch()
        owner.outbox.put(registration())
        assert len(ask(folder, Inquiry("list"))) == 1
        assert watch.seconds() < 1.0
        silent.settimeout(10)
        assert silent.recv(100) == b""


def test_a_caller_that_takes_nothing_is_let_go(
    owner: OutboxOwner, folder: Path, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "_ANSWER_S", 0.5)
    for _ in range(600):
        owner.outbox.put(registration(photos=False))
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.connect(str(folder / SOCKET))
        deaf.sendall(Inquiry("waiting").to_json() + b"\n")
        watch = Stopwatch()
        owner.outbox.put(registration())
        assert watch.seconds() < 0.5
        assert len(ask(folder, Inquiry("list", limit=1))) == 1


@pytest.mark.usefixtures("server")
def test_the_socket_is_for_its_owner_alone(folder: Path) -> None:
    mode = (folder / SOCKET).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
@pytest.mark.usefixtures("server")
def test_another_user_is_refused_even_through_an_open_door(folder: Path) -> None:
    folder.chmod(0o755)
    script = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "sock = socket.socket(socket.AF_UNIX)\n"
        "try:\n"
        "    sock.connect(sys.argv[1])\n"
        '    sock.sendall(b\'{"ask": "list"}\\n\')\n'
        "    print('heard', len(sock.recv(100)))\n"
        "except OSError as error:\n"
        "    print(type(error).__name__)\n"
    )

    def call() -> str:
        command = [sys.executable, "-c", script, str(folder / SOCKET)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert call() == "PermissionError"
    (folder / SOCKET).chmod(0o666)
    assert call() in ("heard 0", "BrokenPipeError", "ConnectionResetError")


def test_a_killed_kiosks_socket_is_replaced(owner: OutboxOwner, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / SOCKET))
    server = ControlServer(owner, folder / SOCKET)
    server.start()
    assert ask(folder, Inquiry("list")) == []
    server.stop()
    assert not (folder / SOCKET).exists()


def test_something_else_in_its_place_is_left_alone(owner: OutboxOwner, folder: Path) -> None:
    (folder / SOCKET).write_text("precious")
    server = ControlServer(owner, folder / SOCKET)
    with pytest.raises(OutboxUnavailable, match="left untouched"):
        server.start()
    server.stop()
    assert (folder / SOCKET).read_text() == "precious"


def test_a_folder_deeper_than_a_socket_address(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with opened(deep) as owner:
        server = ControlServer(owner, deep / SOCKET)
        server.start()
        assert len(os.fsencode(deep / SOCKET)) > 107
        assert stat.S_IMODE((deep / SOCKET).stat().st_mode) == 0o600
        assert ask(deep, Inquiry("list")) == []
        server.stop()
        assert asking.call(deep / SOCKET) is None


def test_a_folder_without_place_is_told(owner: OutboxOwner, folder: Path) -> None:
    with pytest.raises(OutboxUnavailable, match="state_dir"):
        ControlServer(owner, folder / "gone" / SOCKET).start()


def test_stopping_hangs_up_on_a_caller_and_may_come_twice(server: ControlServer, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(folder / SOCKET))
        time.sleep(0.1)
        watch = Stopwatch()
        server.stop()
        server.stop()
        assert watch.seconds() < 0.5
    assert not any(thread.name == "queue control" for thread in threading.enumerate())


def test_a_server_that_never_started_stops(owner: OutboxOwner, folder: Path) -> None:
    ControlServer(owner, folder / SOCKET).stop()


def test_a_bug_in_an_answer_names_no_guest_and_the_next_caller_is_served(
    server: ControlServer, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"cannot handle {NAME}")

    with monkeypatch.context() as patch:
        patch.setattr(server._answers, "_status", broken)
        with pytest.raises(ContractError, match="RuntimeError") as told:
            ask(folder, Inquiry("status"))
    assert NAME not in str(told.value) + caplog.text
    assert len(ask(folder, Inquiry("status"))) == 1


def test_a_kiosk_that_hangs_up_half_way_is_told(folder: Path) -> None:
    with half_a_kiosk(folder, b'{"row":{}}\n'), pytest.raises(OutboxUnavailable, match="hung up"):
        ask(folder, Inquiry("list"))
    (folder / SOCKET).unlink()
    with half_a_kiosk(folder, b"what?\n"), pytest.raises(OutboxUnavailable, match="did not answer"):
        ask(folder, Inquiry("list"))


def half_a_kiosk(folder: Path, says: bytes) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / SOCKET))
    listening.listen(1)

    def serve() -> None:
        caller, _ = listening.accept()
        with caller:
            caller.recv(4096)
            caller.sendall(says)

    run: Callable[[], None] = serve
    threading.Thread(target=run, daemon=True).start()
    return listening
