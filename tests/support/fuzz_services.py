"""Targets in processes of their own: requests, cookies and frames for `triage console`, `triage serve`, and probes."""

import contextlib
import json
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
from checkout import TINY_MODEL
from fuzzing import MOST_MIB, MOST_S, Finding, Target, mutated
from running_service import TOKEN, TOKENS, RunningApi, RunningConsole, RunningService
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

NAMES = ("console", "frames", "api", "probes")
_ANSWER_S = 10
_AT_ONCE = 4
_SESSION, _PAGE = b"@SESSION@", b"@PAGE@"
_EARLY = {f"{section}.{name}_timeout_s": "2" for section in ("console", "api") for name in ("header", "body")}
_CONSOLE_PATHS = [
    b"/",
    b"/explore",
    b"/explore?q=late&sentiment=negative&from=now-1d&sort=score",
    b"/explore.csv?q=a",
    b"/record/1",
    b"/alerts",
    b"/alerts/a%2Fb",
    b"/review",
    b"/fleet",
    b"/login",
    b"/language/zh",
    b"/live",
    b"/ready",
    b"/metrics",
    b"/nothing/%00/..%2f",
]
_FORMS = [b"token=x", b"token=" + TOKEN["olga"].encode(), b"form=1&minutes=5&next=%2F", b"kind=snooze", b"\x00=\xff"]
_FRAMES = [
    b"40",
    b"2",
    b"3",
    b"41",
    b'420["handshake",{"client_id":"@PAGE@","tab_id":"t","document_id":"d","next_message_id":0}]',
    b'421["event",{"client_id":"@PAGE@","id":3,"listener_id":"a","args":["{}"]}]',
    b'421["ack",{"client_id":"@PAGE@","next_message_id":1}]',
    b'421["javascript_response",{"client_id":"@PAGE@","request_id":"a","result":1}]',
    b'451-["event",{"_placeholder":true,"num":0}]',
    b'421["log",{"client_id":"@PAGE@","level":"error","message":"a"}]',
    b"\x04\x00\xff",
]
_BODIES = [
    b'{"records": [{"text": "My parcel is late", "rating": 1, "id": "1"}]}',
    '{"records": [{"text": "快递三天没到", "attributes": {"a": 1}, "created_at": 1}, {"text": ""}]}'.encode(),
    b'{"records": []}',
    b'{"id": "1", "sentiment": "negative", "comment": "a"}',
    b'{"ticket": {"comment": [{"body": "late"}]}}',
]
_API_PATHS = [b"/v1/enrich"] * 6 + [
    b"/v1/about",
    b"/v1/corrections",
    b"/v1/hooks/desk",
    b"/v1/hooks/none",
    b"/openapi.json",
    b"/docs",
    b"/live",
    b"/ready",
    b"/metrics",
]
_HEADERS = [
    b"Cookie: session=@SESSION@; a=b",
    b"Cookie: @SESSION@",
    b"Authorization: Bearer x",
    b"Accept-Language: zh;q=0.9,*;q=x",
    b"X-Forwarded-For: 1.2.3.4, ::1",
    b"X-Forwarded-Prefix: //a",
    b"Idempotency-Key: k",
    b"Content-Type: application/json; charset=x",
    b"Content-Encoding: gzip",
    b"Transfer-Encoding: chunked",
    b"Expect: 100-continue",
    b"Upgrade: websocket",
    b"Range: bytes=0-",
    b"traceparent: 00-1-1-01",
    b"If-None-Match: *",
    b"Origin: null",
    b"Sec-Fetch-Site: cross-site",
    b"Content-Length: 9999999999999999999",
]


@contextlib.contextmanager
def targets(folder: Path, only: set[str]) -> Iterator[list[Target]]:
    """The targets of those processes that `only` needs; empty: of all."""
    found: list[Target] = []
    with contextlib.ExitStack() as stack:
        if not only or only & {"console", "frames"}:
            settings = {"console.tokens": json.dumps(TOKENS), "console.health_port": "0", **_EARLY}
            console = stack.enter_context(_Watched(RunningConsole(folder, settings)))
            session = _logged_in(console.service)
            found += [
                Target(
                    "console",
                    console.requests(session),
                    make=_request(_CONSOLE_PATHS, _FORMS, b"form"),
                    look=console.look,
                ),
                Target("frames", console.frames(session), make=_frames, look=console.look),
            ]
        if not only or only & {"api", "probes"}:
            settings = {
                "api.health_port": "0",
                "api.records_per_minute": "1000000",
                "model.path": str(TINY_MODEL),
                "api.mappings": json.dumps({"desk": {"text": "ticket.comment.0.body"}}),
                **_EARLY,
            }
            api = stack.enter_context(_Watched(RunningApi(folder, settings)))
            port = (api.service.event("health_started") or {})["port"]
            probes = _request([b"/live", b"/ready", b"/metrics", b"/"], [b"x"], b"form")
            found += [
                Target("api", api.requests({}), make=_request(_API_PATHS, _BODIES, b"json"), look=api.look),
                Target("probes", api.requests({}, port), make=probes, look=api.look),
            ]
        yield found


def _request(paths: list[bytes], bodies: list[bytes], kind: bytes) -> Callable[[random.Random], bytes]:
    """Makes requests: whole ones with a changed path, body or headers, and some that are changed anywhere."""
    types = {b"json": b"application/json", b"form": b"application/x-www-form-urlencoded"}

    def make(chance: random.Random) -> bytes:
        path, body = chance.choice(paths), chance.choice(bodies)
        method = b"POST" if chance.random() < 0.6 else chance.choice([b"GET", b"GET", b"HEAD", b"PUT", b"OPTIONS"])
        headers = [b"Host: @HOST@", b"Connection: close", b"Content-Type: " + types[kind]]
        headers += [b"Cookie: @SESSION@", b"Origin: http://@HOST@"] if chance.random() < 0.7 else []
        what = chance.random()
        if what < 0.5:
            body = mutated(chance, body, bodies)
        elif what < 0.65:
            path = re.sub(rb"[\s]", b"%20", mutated(chance, path, paths))[:4_000]
        elif what < 0.8:
            headers += [mutated(chance, each) for each in chance.sample(_HEADERS, 2)]
        else:
            headers += chance.sample(_HEADERS, 2)
        whole = _whole(method, path, headers, body if method in {b"POST", b"PUT"} else b"")
        return mutated(chance, whole, bodies) if chance.random() < 0.15 else whole

    return make


def _whole(method: bytes, path: bytes, headers: list[bytes], body: bytes) -> bytes:
    head = b"\r\n".join([method + b" " + path + b" HTTP/1.1", *headers, b"Content-Length: %d" % len(body)])
    return head + b"\r\n\r\n" + body


def _frames(chance: random.Random) -> bytes:
    chosen = chance.choices(_FRAMES, k=chance.randint(1, 5))
    return b"\x1e".join([b"40", *(mutated(chance, each, _FRAMES)[:50_000] for each in chosen)])


def _logged_in(service: RunningService) -> dict[bytes, bytes]:
    """What stands for a session and one of its pages in inputs."""
    with httpx.Client(base_url=service.url, headers={"origin": service.url}, timeout=30) as client:
        assert client.post("/login", data={"token": TOKEN["olga"]}).status_code == 303
        session = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        page = re.search(r"'client_id': '([0-9a-f-]{36})'", client.get("/").text)
    return {_SESSION: session.encode(), _PAGE: page[1].encode() if page else b""}


class _Watched:
    """A running service whose probes are asked all the time."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self._slow = ""
        self._ended = threading.Event()
        self._prober = threading.Thread(target=self._probe)

    def __enter__(self) -> Self:
        self.service.__enter__()
        try:
            # What every request needs is loaded once.
            for path in ("/", "/live", "/metrics"):
                httpx.get(f"{self.service.url}{path}", timeout=60)
            self._before_mib = self._mib()
        except BaseException:
            self.service.__exit__()
            raise
        self._prober.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._ended.set()
        self._prober.join()
        self.service.__exit__(*details)

    def look(self) -> None:
        """Raises Finding for a slow probe, a traceback, or memory that has grown."""
        if self.service.process.poll() is not None:
            raise Finding(f"the process ended with status {self.service.process.returncode}: {self.service.log[-3:]}")
        if self._slow:
            slow, self._slow = self._slow, ""
            raise Finding(slow)
        traces = [number for number, line in enumerate(self.service.log) if "Traceback" in line]
        if traces:
            trace = "".join(self.service.log[traces[0] : traces[0] + 60])
            self.service.log.clear()
            raise Finding(f"traceback in the log: ...{trace[-600:]}")
        if (grown := self._mib() - self._before_mib) > MOST_MIB:
            self._before_mib += grown
            raise Finding(f"its memory has grown by {grown:.0f} MiB")

    def requests(self, stand_ins: dict[bytes, bytes], port: int | None = None) -> Callable[[bytes], None]:
        address = urlsplit(self.service.url)
        port = port or address.port or 0
        stand_ins = {**stand_ins, b"@HOST@": f"127.0.0.1:{port}".encode()}

        def run(content: bytes) -> None:
            whole = _is_whole(content)
            for each, value in stand_ins.items():
                content = content.replace(each, value)
            answers = _together(lambda: _answer(port, content, whole=whole))
            for answer in answers:
                if re.match(rb"HTTP/1\.[01] 500", answer):
                    raise Finding(f"answered {answer[:300]!r}")
            # A busy machine may read a request too late, and close the connection as idle.
            if whole and not all(answers) and not any(_answer(port, content, whole=True) for _ in range(3)):
                raise Finding(f"no answer within {_ANSWER_S} s")
            self.look()

        return run

    def frames(self, stand_ins: dict[bytes, bytes]) -> Callable[[bytes], None]:
        address = self.service.url.replace("http", "ws", 1) + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"

        def run(content: bytes) -> None:
            for each, value in stand_ins.items():
                content = content.replace(each, value)
            headers = {"cookie": stand_ins[_SESSION].decode()}
            with (
                contextlib.suppress(WebSocketException, OSError, TimeoutError),
                connect(
                    address,
                    origin=Origin(self.service.url),
                    additional_headers=headers,
                    open_timeout=_ANSWER_S,
                    close_timeout=1,
                ) as opened,
            ):
                for frame in content.split(b"\x1e"):
                    try:
                        opened.send(frame.decode("utf-8"))
                    except UnicodeDecodeError:
                        opened.send(frame)
                while True:
                    opened.recv(timeout=0.02)
            self.look()

        return run

    def _probe(self) -> None:
        """Ask both listeners, one after the other. Three slow answers in a row are not the machine's fault."""
        health = f"http://127.0.0.1:{(self.service.event('health_started') or {})['port']}"
        slow = 0
        while not self._ended.wait(0.2):
            for url in (f"{self.service.url}/live", f"{health}/live"):
                began = time.monotonic()
                with contextlib.suppress(httpx.HTTPError):
                    httpx.get(url, timeout=30)
                seconds = time.monotonic() - began
                slow = slow + 1 if seconds > MOST_S else 0
                if slow >= 3:
                    self._slow = f"{url} took {seconds:.1f} s, three times"

    def _mib(self) -> float:
        shown = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.service.process.pid)], capture_output=True, text=True, check=True
        )
        return int(shown.stdout) / 1024


def _is_whole(content: bytes) -> bool:
    """True for a request that is to be answered soon."""
    head, _, body = content.partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?im)^content-length:\s*(\d+)\r?$", head)
    quick = re.match(rb"(GET|POST) (/v1/enrich|/live|/login) HTTP/1\.1\r\n", content)
    plain = re.search(rb"(?im)^(transfer-encoding|expect|upgrade)", head) is None
    return bool(quick and plain and lengths == [b"%d" % len(body)])


def _answer(port: int, content: bytes, *, whole: bool) -> bytes:
    """The beginning of the answer; empty without one."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S if whole else 0.2) as connection:
            connection.sendall(content)
            return connection.recv(4_096)
    except OSError as error:
        # Closed by the server before it had read everything, as it may: what it said may be lost.
        return b"closed" if isinstance(error, ConnectionError) else b""


def _together(ask: Callable[[], bytes]) -> list[bytes]:
    """The same request at once, for what goes wrong only then."""
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(_AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers
