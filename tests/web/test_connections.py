"""A server under clients that are too many or too slow: new requests are answered, and nothing stays open forever."""

import asyncio
import socket
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from websockets.sync.client import connect

from triage.clock import ManualClock
from triage.config import ConsoleSettings
from triage.web import server as server_module
from triage.web.body import read_body
from triage.web.connections import Connections
from triage.web.problem import Problem
from triage.web.server import Server, listen

GET = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"
WAIT_S = 20


async def _live(request: Request) -> Response:
    return PlainTextResponse("alive")


async def _large(request: Request) -> Response:
    return PlainTextResponse("x" * 64 * 1024 * 1024)


async def _upload(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await read_body(request, 1_000_000))))
    except Problem as problem:
        return problem.response()


async def _echo(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


APP = Starlette(
    routes=[
        Route("/live", _live),
        Route("/large", _large),
        Route("/upload", _upload, methods=["POST"]),
        WebSocketRoute("/ws", _echo),
    ]
)


class Running:
    """A server on its own thread; `sweep_at` turns its clock and sweeps."""

    def __init__(self, app=APP, **settings):
        self.clock = ManualClock()
        self.settings = ConsoleSettings(port=0, **settings)
        self.server = Server(app, self.settings)
        self.server.guard.monotonic = self.clock.monotonic
        self.listening = listen(self.settings, "console")
        # Accepted sockets inherit it: an answer of many megabytes can't disappear in the kernel's buffers.
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        self.address = self.listening.getsockname()
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        _until(lambda: self.server.started)
        return self

    def __exit__(self, *details):
        self.server.should_exit = True
        self.thread.join()

    def _serve(self):
        # The loop that the product runs on.
        with asyncio.Runner(loop_factory=self.server.config.get_loop_factory()) as runner:
            self.loop = runner.get_loop()
            runner.run(self.server.serve([self.listening]))

    def advance(self, seconds):
        """Move the clock between two sweeps, never in the middle of one."""
        moved = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (self.clock.advance(seconds), moved.set()))
        assert moved.wait(WAIT_S)

    def open(self, sent=b"", receive_buffer_bytes=None):
        connection = socket.socket()
        if receive_buffer_bytes:
            # Set before it connects, so that the kernel does not grow it: what it holds counts as read.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        connection.settimeout(WAIT_S)
        connection.connect(self.address)
        connection.sendall(sent)
        return connection

    def get(self):
        with self.open(GET + b"Connection: close\r\n\r\n") as connection:
            return _all(connection)

    def registered(self, number):
        """Wait until so many connections are registered."""
        _until(lambda: len(self.server.guard) == number)


def _all(connection):
    parts = []
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def _answered(connection):
    """Read one answer of /live on a connection that stays open."""
    received = b""
    while not received.endswith(b"alive"):
        received += connection.recv(1_000)
        assert received, "closed"


def _send(connection, piece, times):
    for _ in range(times):
        connection.sendall(piece)


def _until(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        threading.Event().wait(0.01)


@contextmanager
def _many(running, number, sent=b""):
    with ExitStack() as stack:
        yield [stack.enter_context(running.open(sent)) for _ in range(number)]


@pytest.mark.parametrize("sent", [b"", b"GET", GET, GET + b"X-Name: "])
def test_a_request_is_answered_beside_500_idle_connections(sent):
    with Running(max_connections_per_address=50) as running, _many(running, 500, sent):
        began = time.monotonic()
        assert running.get().endswith(b"alive")
        assert time.monotonic() - began < 1
        assert len(running.server.guard) <= 50


def test_all_addresses_together_have_a_limit_too():
    with Running(max_connections=20, max_connections_per_address=1_000) as running, _many(running, 100):
        assert running.get().endswith(b"alive")
        assert len(running.server.guard) <= 20


def test_trusted_proxies_have_no_limit_of_their_own():
    settings = {"trusted_proxies": ["127.0.0.1"], "proxy_login": True, "max_connections_per_address": 4}
    with Running(**settings) as running, _many(running, 30):
        running.registered(30)


def test_the_connection_that_was_idle_for_longest_makes_room():
    with Running(max_connections_per_address=4) as running:
        used = running.open(GET + b"\r\n")
        _answered(used)
        with used, _many(running, 3) as idle:
            running.registered(4)
            running.advance(1)
            used.sendall(GET + b"\r\n")
            _answered(used)
            assert running.get().endswith(b"alive")
            assert _all(idle[0]) == b"", "closed"
            used.sendall(GET + b"Connection: close\r\n\r\n")
            assert _all(used).endswith(b"alive")


def test_unfinished_uploads_make_room_and_busy_connections_do_not():
    start = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\nx"
    with Running(max_connections_per_address=4) as running:
        with _many(running, 8, start):
            assert running.get().endswith(b"alive")
        running.registered(0)
        url = f"ws://127.0.0.1:{running.address[1]}/ws"
        with ExitStack() as stack:
            sockets = [stack.enter_context(connect(url)) for _ in range(4)]
            with running.open(GET + b"\r\n") as refused:
                assert _all(refused) == b""
            for each in sockets:
                each.send("still here")
                assert each.recv(WAIT_S) == "still here"
        running.registered(0)


@pytest.mark.parametrize("sent", [b"", b"GET /live HTTP/1.1\r\nHost: loc"])
def test_headers_have_a_deadline(sent):
    with Running(header_timeout_s=10) as running, running.open(sent) as slow:
        running.registered(1)
        running.advance(9)
        slow.sendall(b"G")
        running.advance(1)
        assert _all(slow) == b""


def test_a_next_request_on_the_same_connection_has_the_same_deadline():
    with Running(header_timeout_s=10) as running, running.open(GET + b"\r\n") as slow:
        _answered(slow)
        connection = _only(running)
        _until(lambda: connection.idle_since_s is not None)
        slow.sendall(b"GET /li")
        running.advance(10)
        assert _all(slow) == b""


def test_a_body_has_a_deadline():
    with Running(body_timeout_s=0.2) as running:
        with running.open(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc") as slow:
            answer = _all(slow)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in answer.lower()
        assert running.get().endswith(b"alive")


def test_an_upload_that_never_ends_is_cut_at_the_limit():
    start = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Running() as running, running.open(start) as endless:
        with pytest.raises(ConnectionError):
            _send(endless, b"186a0\r\n" + b"x" * 100_000 + b"\r\n", 3_000)
        assert running.get().endswith(b"alive")


def test_headers_have_a_size():
    with Running() as running, running.open(GET) as large:
        with pytest.raises(ConnectionError):
            _send(large, b"X-Name: " + b"x" * 10_000 + b"\r\n", 1_000)
        assert running.get().endswith(b"alive")


GET_LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_an_answer_that_nobody_reads_is_given_up():
    with Running(body_timeout_s=30) as running, running.open(GET_LARGE, 256 * 1024) as reader:
        connection = _only(running)
        _until(lambda: connection.stalled_since_s is not None)
        running.advance(30)
        running.registered(0)
        assert len(_all(reader)) < 64 * 1024 * 1024


def test_an_answer_that_is_read_slowly_is_read_to_its_end():
    with Running(body_timeout_s=30) as running, running.open(GET_LARGE, 256 * 1024) as reader:
        connection, received = _only(running), 0
        for _ in range(4):
            _until(lambda: connection.stalled_since_s == running.clock.monotonic())
            running.advance(20)
            before, enough = connection.unsent_bytes, received + 12 * 1024 * 1024
            while received < enough:
                received += len(reader.recv(1024 * 1024))
            _until(lambda: connection.unsent_bytes < before)  # noqa: B023 - called at once
        while received < 64 * 1024 * 1024:
            received += len(reader.recv(1024 * 1024))


def test_a_closed_connection_whose_answer_nobody_reads_is_given_up_too():
    start = b"GET /large HTTP/1.0\r\nHost: localhost\r\n\r\n"
    with Running(body_timeout_s=30) as running, running.open(start, 256 * 1024) as reader:
        connection = _only(running)
        _until(lambda: connection.stalled_since_s is not None)
        running.advance(30)
        running.registered(0)
        assert len(_all(reader)) < 64 * 1024 * 1024


def _only(running):
    running.registered(1)
    (connection,) = running.server.guard._open
    return connection


def test_a_tls_handshake_has_a_deadline(monkeypatch, tmp_path):
    monkeypatch.setattr(server_module, "_TLS_HANDSHAKE_S", 0.2)
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    key_file, certificate_file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    certificate.private_key_pem.write_to_path(key_file)
    certificate.cert_chain_pems[0].write_to_path(certificate_file)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with Running(tls_certfile=certificate_file, tls_keyfile=key_file) as running, running.open() as silent:
        assert httpx.get(f"https://127.0.0.1:{running.address[1]}/live", verify=context).text == "alive"
        assert _all(silent) == b""


def test_a_client_that_disconnects_in_its_body_is_no_error(capfd):
    with Running() as running:
        with running.open(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"):
            running.registered(1)
        running.registered(0)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_few_files_mean_few_connections(monkeypatch):
    import triage.web.connections as module

    monkeypatch.setattr(module, "_raise_file_limit", lambda: 256)
    assert Connections(ConsoleSettings())._max == 128
