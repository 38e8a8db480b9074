"""A running console under clients that only hold connections, with few files: its probes answer within a second."""

import json
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from running_service import TOKENS, RunningConsole

IDLE = 500


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    settings = {"console.tokens": json.dumps(TOKENS), "console.health_port": "0"}
    with RunningConsole(tmp_path_factory.mktemp("console"), settings, max_files=256) as running:
        yield running


def _seconds(url):
    """The status of a probe, and how long it took on a new connection."""
    began = time.monotonic()
    status = httpx.get(url, timeout=10).status_code
    return status, time.monotonic() - began


def test_probes_answer_beside_idle_connections_and_an_upload_that_never_ends(console):
    _until_it_serves(console)
    upload = f"POST /login HTTP/1.1\r\nHost: {urlsplit(console.url).netloc}\r\nOrigin: {console.url}\r\n"
    health = f"http://127.0.0.1:{console.event('health_started')['port']}"
    with ExitStack() as stack:
        for number in range(IDLE):
            stack.enter_context(console.connect(b"GET /live HTTP/1.1\r\n" if number % 2 else b""))
        uploading = stack.enter_context(console.connect(f"{upload}Content-Length: 300000000\r\n\r\n".encode()))
        for path, expected in (("/live", 200), ("/ready", 503), ("/metrics", 200)):
            for listener in (console.url, health):
                times = [_seconds(f"{listener}{path}") for _ in range(3)]
                assert {status for status, _ in times} == {expected}, path
                assert min(seconds for _, seconds in times) < 1, path
        assert uploading.recv(1_000).startswith(b"HTTP/1.1 413")


def _until_it_serves(console):
    with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
        assert client.get(f"{console.url}/live").status_code == 200


def test_a_body_that_breaks_off_at_the_login_is_no_error(console):
    _until_it_serves(console)
    host = urlsplit(console.url).netloc
    head = f"POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: {console.url}\r\nContent-Length: 99\r\n\r\ntoken="
    for _ in range(5):
        console.connect(head.encode()).close()
    for _ in range(5):
        assert httpx.get(f"{console.url}/login").status_code == 200
    assert "Traceback" not in "".join(console.log)
    assert console.event("page_failed") is None
