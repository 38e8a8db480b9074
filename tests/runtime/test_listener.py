"""The listener of the probes under clients that are too many or too slow."""

import contextlib
import socket
import time
from contextlib import ExitStack

import httpx
import pytest

from triage.clock import ManualClock
from triage.metrics import Metrics
from triage.runtime import listener
from triage.runtime.health import Health, HealthServer

WAIT_S = 30
HEAD = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"


class _Slow:
    """Health whose readiness takes until it is told."""

    def __init__(self):
        self.health, self.until = Health(ManualClock()), []
        self.live, self.standing_still = self.health.live, self.health.standing_still

    def ready(self):
        while self.until and not self.until[0]:
            time.sleep(0.01)
        return self.health.ready()


@pytest.fixture
def probes():
    server = HealthServer(_Slow(), Metrics(), 0, "127.0.0.1")
    server.clock = ManualClock()
    server._server.monotonic = server.clock.monotonic
    server.start()
    yield server
    server.stop()


def _open(server, sent=b""):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)
    connection.sendall(sent)
    return connection


def _until(holds):
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def _hung_up(connection):
    with contextlib.suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def test_hundreds_that_say_nothing_make_room_for_a_probe(probes):
    with ExitStack() as stack:
        idle = [stack.enter_context(_open(probes, HEAD if number % 2 else b"")) for number in range(300)]
        for path in ("live", "ready", "metrics"):
            began = time.monotonic()
            assert httpx.get(f"http://127.0.0.1:{probes.port}/{path}", timeout=WAIT_S).status_code == 200
            assert time.monotonic() - began < 1
        assert probes._server.connections <= listener._MAX_CONNECTIONS
        assert _hung_up(idle[0]), "the one that is idle for longest"


def test_those_that_are_answered_are_not_closed_for_others(monkeypatch):
    monkeypatch.setattr(listener, "_MAX_CONNECTIONS", 2)
    probed = _Slow()
    probed.until = [False]
    server = HealthServer(probed, Metrics(), 0, "127.0.0.1")
    server.start()
    try:
        with ExitStack() as stack:
            asking = b"GET /ready HTTP/1.1\r\n\r\n"
            busy = [stack.enter_context(_open(server, asking)) for _ in range(2)]
            _until(lambda: [state for _, state in server._server._open.values()] == [True, True])
            assert _hung_up(stack.enter_context(_open(server, HEAD))), "all are busy"
            probed.until[0] = True
            for each in busy:
                assert each.recv(100).startswith(b"HTTP/1.0 200")
    finally:
        server.stop()


def test_a_request_has_to_be_complete_in_time_however_it_drips(probes):
    with _open(probes, HEAD) as dripping, _open(probes) as silent:
        _until(lambda: probes._server.connections == 2)
        probes.clock.advance(listener._HEADER_TIMEOUT_S - 1)
        dripping.sendall(b"X-Slow: 1\r\n")
        probes.clock.advance(1)
        assert _hung_up(silent)
        assert _hung_up(dripping)
    _until(lambda: probes._server.connections == 0)


def test_an_answer_has_to_be_read_in_time():
    probed = _Slow()
    probed.until = [False]
    server = HealthServer(probed, Metrics(), 0, "127.0.0.1")
    clock = ManualClock()
    server._server.monotonic = clock.monotonic
    server.start()
    try:
        with _open(server, b"GET /ready HTTP/1.1\r\n\r\n") as waiting:
            _until(lambda: [state for _, state in server._server._open.values()] == [True])
            clock.advance(listener._HEADER_TIMEOUT_S + 1)
            _until(lambda: server._server.connections == 1)
            clock.advance(listener._ANSWER_TIMEOUT_S)
            assert _hung_up(waiting)
            probed.until[0] = True
    finally:
        server.stop()


def test_a_head_has_a_size(probes):
    with _open(probes, HEAD) as large:
        with contextlib.suppress(OSError):
            for number in range(90):
                large.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1_000))
        with contextlib.suppress(ConnectionResetError):
            assert large.recv(100).startswith(b"HTTP/1.0 431")


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 40, b"\r\n\r\n", b"GET\r\n\r\n", b"GET /live HTTP/9.9\r\n\r\n",
     b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"\xff\xfe /live HTTP/1.1\r\n\r\n", b"GET /\xff%ff?\x00 HTTP/1.1\r\n\r\n",
     b"GET /live HTTP/1.1\r\nContent-Length: -9\r\n\r\n", b"POST /live HTTP/1.1\r\nContent-Length: 300000000\r\n\r\nx"],
)  # fmt: skip
def test_what_is_no_request_leaves_no_traceback(probes, sent, capfd):
    with _open(probes, sent) as connection, contextlib.suppress(ConnectionResetError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000):
            pass
    assert httpx.get(f"http://127.0.0.1:{probes.port}/live", timeout=WAIT_S).status_code == 200
    assert "Traceback" not in "".join(capfd.readouterr())
