"""Web sockets of a running console: each serves its own user's pages only, and no longer than the session."""

import contextlib
import json
import re
from collections import deque
from urllib.parse import urlencode

import httpx
import pytest
from running_service import TOKEN, TOKENS, RunningConsole
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

SOCKET = "/_nicegui_ws/socket.io/"
WAIT_S = 10


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    with RunningConsole(tmp_path_factory.mktemp("console"), {"console.tokens": json.dumps(TOKENS)}) as running:
        yield running


@pytest.fixture
def visitor(console):
    clients = []

    def log_in(name):
        client = httpx.Client(base_url=console.url, transport=httpx.HTTPTransport(retries=5), timeout=30)
        client.headers["origin"] = console.url
        clients.append(client)
        assert client.post("/login", data={"token": TOKEN[name]}).status_code == 303
        return client

    yield log_in
    for client in clients:
        client.close()


def _page_of(client):
    """The id of a page that was built for this visitor."""
    return re.search(r"'client_id': '([0-9a-f-]{36})'", client.get("/").text)[1]


def _open(client, origin=None, **query):
    address = str(client.base_url).replace("http", "ws", 1).rstrip("/") + SOCKET
    query = {"EIO": 4, "transport": "websocket", **query}
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return connect(
        f"{address}?{urlencode(query)}",
        origin=origin or client.headers["origin"],
        additional_headers={"cookie": cookie},
        open_timeout=WAIT_S,
    )


def _handshake(page, **query):
    return {"client_id": page, "tab_id": "tab", "document_id": "document", "next_message_id": 0, **query}


def _say(socket, *messages):
    """Send frames of Socket.IO; the first answer that is not a ping or an update of a page."""
    for message in messages:
        socket.send(message)
    while True:
        answer = socket.recv(timeout=WAIT_S)
        if not answer.startswith(("0", "2", "42")):
            return answer


def _attached(socket, page):
    assert _say(socket, "40").startswith("40")
    return _say(socket, f"420{json.dumps(['handshake', _handshake(page)])}")


def test_a_socket_attaches_to_pages_of_its_own_user_only(console, visitor):
    olga, vera = visitor("olga"), visitor("vera")
    page = _page_of(olga)
    with _open(vera) as socket:
        assert _attached(socket, page) == "430[false]"
    with _open(vera, **_handshake(page, implicit_handshake="true")) as socket:
        assert "Implicit handshake failed" in _say(socket, "40")
    with _open(olga) as socket:
        assert _attached(socket, page) == "430[true]"


def test_a_socket_sends_events_to_the_page_that_it_is_attached_to_only(console, visitor):
    olga, vera = visitor("olga"), visitor("vera")
    others, own = _page_of(olga), _page_of(vera)
    with _open(vera) as socket:
        assert _attached(socket, own) == "430[true]"
        for name in ("event", "javascript_response", "ack", "log"):
            assert _say(socket, f"421{json.dumps([name, {'client_id': others, 'id': 3}])}") == "431[false]"


@pytest.mark.parametrize("message", [None, 5, "text", [], {}, {"client_id": [1]}, {"client_id": "é" * 999}])
@pytest.mark.parametrize("name", ["handshake", "event", "javascript_response", "ack", "log"])
def test_frames_of_any_form_are_refused(console, visitor, name, message):
    with _open(visitor("olga")) as socket:
        assert _say(socket, "40").startswith("40")
        assert _say(socket, f"421{json.dumps([name, message])}") == "431[false]"
    assert "Traceback" not in "".join(console.log)


@pytest.mark.parametrize(
    "frame",
    ["", "x", "9", "b!", "4", "48", "44", "45-", "42[", "453-[]", '42["event"', "4" + "[" * 900, b"\x04\x00", b""],
)
def test_what_is_no_frame_leaves_no_traceback(console, visitor, frame):
    olga = visitor("olga")
    with contextlib.suppress(ConnectionClosed, TimeoutError), _open(olga) as socket:
        assert _say(socket, "40").startswith("40")
        for _ in range(2):
            socket.send(frame)
        while True:
            socket.recv(timeout=0.3)
    assert olga.get("/live").status_code == 200
    assert "Traceback" not in "".join(console.log)


def test_a_frame_that_its_own_page_cannot_read_does_no_harm(console, visitor):
    vera = visitor("vera")
    page = _page_of(vera)
    with _open(vera) as socket:
        assert _attached(socket, page) == "430[true]"
        for broken in ({}, {"id": []}, {"id": 3, "args": ["{"], "listener_id": "x"}, {"id": 3, "args": 5}):
            answer = _say(socket, f"421{json.dumps(['event', {'client_id': page, **broken}])}")
            assert answer in {"431[false]", "431[]"}
    assert "Traceback" not in "".join(console.log)


def test_a_logout_closes_the_open_socket(console, visitor):
    olga = visitor("olga")
    with _open(olga) as socket:
        assert _attached(socket, _page_of(olga)) == "430[true]"
        assert olga.post("/logout").status_code == 303
        with pytest.raises(ConnectionClosed):
            deque(socket, maxlen=0)
        assert socket.close_code == 1008


def test_other_sites_get_neither_a_socket_nor_an_answer_that_they_can_read(console, visitor):
    olga = visitor("olga")
    with pytest.raises(InvalidStatus) as refused:
        _open(olga, origin="http://evil.example")
    assert refused.value.response.status_code == 403
    for headers in ({"origin": "http://evil.example"}, {"origin": console.url}, {"sec-fetch-site": "cross-site"}):
        polled = olga.get(SOCKET, params={"EIO": 4, "transport": "polling", "j": 0}, headers=headers)
        assert polled.status_code >= 400
        assert "access-control-allow-origin" not in polled.headers
