"""Our HTTPS client against real TLS servers that misbehave: one bound for the whole call, errors that tell nothing."""

from __future__ import annotations

import contextlib
import gc
import socket
import struct
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk import tls
from kiosk.config import TlsFiles
from kiosk.errors import GatewayNonsense, GatewayUnavailable, KioskError
from kiosk.https import JsonOverTls
from kiosk.sandbox import pki
from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.http import Server, Tls
from kiosk.sandbox.messages import Answer, Request
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.timeout(60)

SECRET = "https://suishen.sandbox.invalid/code?t=one-use"
TIMEOUT_S = 1.0


class Echo:
    """Answers what ``reply`` makes of a request, and counts requests."""

    name = "gateway"

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.reply: Callable[[Request], Answer] = lambda request: Answer(200, request.json() if request.body else {})

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.reply(request)


class Line:
    """One server and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.pki = pki.make(folder, "demo-01")
        self.app, self.board = Echo(), FaultBoard()
        self.server = Server(self.app, Tls.load(self.pki), self.board, 0)
        self.server.open()
        self.client = self.new_client()

    def new_client(self, url: str = "", **other: Path | None) -> JsonOverTls:
        files = {
            "ca_file": self.pki.ca_file,
            "client_cert_file": self.pki.client_cert_file,
            "client_key_file": self.pki.client_key_file,
        }
        return JsonOverTls("identity gateway", url or self.server.url, TlsFiles(**{**files, **other}), TIMEOUT_S)

    def post(self) -> dict[str, object]:
        return self.client.post("/v1/codes", {"code": SECRET})


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    opened = Line(tmp_path)
    yield opened
    opened.client.close()
    opened.board.clear()
    opened.server.close()


def failure(call: Callable[[], object]) -> KioskError:
    """Return the error of a call, which must say nothing of what was sent or received."""
    with pytest.raises(KioskError) as caught:
        call()
    error: BaseException | None = caught.value
    while error is not None:
        assert "one-use" not in str(error)
        assert "one-use" not in repr(error.__dict__)
        error = error.__cause__ or error.__context__
    return caught.value


def test_an_object_goes_there_and_back_in_utf8(line: Line) -> None:
    assert line.client.post("/v1/codes", {"place": "随住"}) == {"place": "随住"}
    assert "随住".encode() in line.app.asked[0].body
    assert line.client.get("/v1/health")["status"] == "OK"


def test_one_connection_serves_calls_in_turn_and_calls_side_by_side_have_their_own(line: Line) -> None:
    for _ in range(3):
        line.post()
    assert len(line.server._connections) == 1
    line.board.add("gateway_latency", ms=200)
    threads = [threading.Thread(target=line.post) for _ in range(3)]
    watch = Stopwatch()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watch.seconds() < 0.55
    assert len(line.server._connections) == 3


def test_a_kept_connection_that_the_server_closed_costs_one_try_and_no_error(line: Line) -> None:
    line.post()
    line.server.close()
    line.server.open()
    assert line.post() == {"code": SECRET}


def test_a_connection_that_is_cut_is_tried_once_more(line: Line) -> None:
    line.board.add("gateway_cut", times=1)
    assert line.post() == {"code": SECRET}
    line.board.add("gateway_cut", times=2)
    assert "connection ended" in str(failure(line.post))
    assert line.post() == {"code": SECRET}


def test_a_reply_that_was_cut_short_is_not_asked_for_again(line: Line) -> None:
    line.board.add("gateway_truncated")
    error = failure(line.post)
    assert isinstance(error, GatewayUnavailable)
    assert "cut short" in str(error)
    assert len(line.app.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [("gateway_timeout", {}), ("gateway_drip", {"bytes_per_s": 10}), ("gateway_latency", {"ms": 5000})],
    ids=["silence", "drip", "slow"],
)
def test_a_call_ends_when_its_time_is_up_and_is_not_repeated(line: Line, fault: tuple[str, dict[str, int]]) -> None:
    line.board.add(fault[0], **fault[1])
    watch = Stopwatch()
    begun = time.monotonic()
    error = failure(line.post)
    assert time.monotonic() - begun > 0.9
    assert watch.seconds() < 1.6
    assert isinstance(error, GatewayUnavailable)
    assert "did not answer in time" in str(error)
    assert len(line.app.asked) <= 1
    line.board.clear()
    assert line.post() == {"code": SECRET}


def test_headers_that_drip_do_not_hold_the_guest(tmp_path: Path, line: Line) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    context = Tls.load(line.pki).genuine
    ended = threading.Event()

    def drip() -> None:
        with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as talk:
            talk.recv(65536)
            while not ended.wait(0.05):
                try:
                    talk.sendall(b"H")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    client = line.new_client(f"https://127.0.0.1:{listener.getsockname()[1]}")
    watch = Stopwatch()
    assert "in time" in str(failure(lambda: client.post("/v1/codes", {"code": SECRET})))
    assert watch.seconds() < 1.6
    ended.set()
    thread.join()
    listener.close()
    client.close()


def test_a_handshake_that_never_comes_is_bounded_too(line: Line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = line.new_client(f"https://127.0.0.1:{listener.getsockname()[1]}")
        watch = Stopwatch()
        assert isinstance(failure(lambda: client.post("/v1/codes", {"code": SECRET})), GatewayUnavailable)
        assert watch.seconds() < 1.6
        client.close()


def test_a_server_that_hangs_up_in_the_handshake_is_asked_again_and_no_certificate_is_blamed(line: Line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        callers: list[int] = []

        def hang_up() -> None:
            for _ in range(2):
                with listener.accept()[0] as caller:
                    callers.append(len(caller.recv(65536)))

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        client = line.new_client(f"https://127.0.0.1:{listener.getsockname()[1]}")
        assert "connection ended" in str(failure(lambda: client.post("/v1/codes", {"code": SECRET})))
        thread.join(5)
        assert len(callers) == 2
        client.close()


def test_a_server_that_resets_before_the_handshake_leaves_no_socket_open(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(self: tls._Cutter, sock: socket.socket) -> socket.socket:
        time.sleep(0.1)  # for the reset to arrive before the handshake
        return sock.dup()

    monkeypatch.setattr(tls._Cutter, "twin", later)
    with socket.create_server(("127.0.0.1", 0)) as listener, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)

        def reset() -> None:
            for _ in range(2):
                with listener.accept()[0] as caller:
                    time.sleep(0.03)  # the client must take itself for connected
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=reset, daemon=True)
        thread.start()
        client = line.new_client(f"https://127.0.0.1:{listener.getsockname()[1]}")
        assert isinstance(failure(lambda: client.post("/v1/codes", {"code": SECRET})), GatewayUnavailable)
        thread.join(5)
        client.close()
        gc.collect()
    assert [str(one.message) for one in told if "SSLSocket" in str(one.message)] == []


def test_a_name_with_several_addresses_that_swallow_calls_has_one_bound(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        for _ in range(4):  # until the kernel drops the next one
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        known = socket.getaddrinfo(*full.getsockname(), type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_names: known * 3)
        client = line.new_client(f"https://127.0.0.1:{full.getsockname()[1]}")
        watch = Stopwatch()
        assert isinstance(failure(lambda: client.post("/v1/codes", {"code": SECRET})), GatewayUnavailable)
        assert watch.seconds() < 1.6
        client.close()


def test_nobody_there_is_unavailable_at_once(line: Line) -> None:
    line.server.close()
    watch = Stopwatch()
    assert "cannot be reached" in str(failure(line.post))
    assert watch.seconds() < 0.5


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_server_in_trouble_is_unavailable(line: Line, status: int) -> None:
    line.app.reply = lambda request: Answer(status, {"error": SECRET})
    error = failure(line.post)
    assert isinstance(error, GatewayUnavailable)
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("status", [201, 204, 400, 404, 422])
def test_another_status_than_agreed_is_nonsense(line: Line, status: int) -> None:
    line.app.reply = lambda request: Answer(status, {})
    assert isinstance(failure(line.post), GatewayNonsense)


def test_a_redirect_is_not_followed(line: Line) -> None:
    line.app.reply = lambda request: Answer(307, {}, (("Location", f"{line.server.url}/v1/elsewhere"),))
    assert isinstance(failure(line.post), GatewayNonsense)
    assert [request.path for request in line.app.asked] == ["/v1/codes"]


@pytest.mark.parametrize("fault", ["gateway_nonsense", "gateway_gbk"])
def test_a_reply_that_is_no_json_in_utf8_is_nonsense(line: Line, fault: str) -> None:
    line.board.add(fault)
    assert isinstance(failure(line.post), GatewayNonsense)


def test_a_reply_without_end_is_not_read_to_its_end(line: Line) -> None:
    line.board.add("gateway_huge", mb=2000, times=1)
    assert isinstance(failure(line.post), GatewayNonsense)
    assert line.post() == {"code": SECRET}


def test_a_reply_at_the_limit_is_read_and_one_byte_more_is_not(line: Line) -> None:
    line.app.reply = lambda request: Answer(200, {"x": "y" * 92})
    assert len(Answer(200, {"x": "y" * 92}).encoded()) == 100
    assert line.client.post("/v1/codes", {}, 100) == {"x": "y" * 92}
    with pytest.raises(GatewayNonsense, match="too large"):
        line.client.post("/v1/codes", {}, 99)
    assert line.client.post("/v1/codes", {}, 100) == {"x": "y" * 92}


def test_a_server_of_a_strange_ca_is_refused(line: Line, tmp_path: Path) -> None:
    other = pki.make(tmp_path / "other", "demo-01")
    client = line.new_client(ca_file=other.ca_file)
    assert "TLS was refused" in str(failure(lambda: client.post("/v1/codes", {"code": SECRET})))
    assert line.app.asked == []
    client.close()


def test_the_environment_changes_neither_trust_nor_route(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(line.pki.client_cert_file))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert line.post() == {"code": SECRET}


def test_a_kiosk_without_a_client_certificate_is_told_to_look_at_it(line: Line) -> None:
    client = line.new_client(client_cert_file=None, client_key_file=None)
    error = failure(lambda: client.post("/v1/codes", {"code": SECRET}))
    assert isinstance(error, GatewayUnavailable)
    client.close()


@pytest.mark.parametrize("name", ["ca_file", "client_cert_file"])
def test_a_certificate_file_that_is_absent_is_told(line: Line, name: str) -> None:
    client = line.new_client(**{name: Path("absent.pem")})
    assert "check ca_file" in str(failure(lambda: client.post("/v1/codes", {"code": SECRET})))
    client.close()


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1"])
def test_nothing_goes_in_the_clear(line: Line, url: str) -> None:
    client = JsonOverTls("identity gateway", url, TlsFiles(), TIMEOUT_S)
    assert "https://" in str(failure(lambda: client.post("/v1/codes", {"code": SECRET})))
    client.close()


def test_closing_twice_and_calling_after_it_leaves_no_connection(line: Line) -> None:
    line.post()
    line.client.close()
    line.client.close()
    line.post()
    end = time.monotonic() + 5
    while line.server._connections:
        assert time.monotonic() < end
        time.sleep(0.01)
