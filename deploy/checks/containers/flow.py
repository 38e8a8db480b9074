"""A record's way through running containers: sent, indexed, shown, paged; then commands of the docs, and SIGTERM."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine import CheckError, Container, Engine

PAGE_LIMIT_S = 300
# The first document makes the index.
LENIENT = "?ignore_unavailable=true&allow_no_indices=true"
# The source that the commands of the docs name, and an author of it.
FIELDS = {"source": "shop", "author_id": "ann"}
TEXT = "The parcel has still not been delivered after three weeks, this is terrible. Order {}"


class Receiver:
    """A webhook on a free port of 127.0.0.1 that keeps what is posted."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                pages.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def until(what: str, limit_s: float, found: Callable[[], Any]) -> Any:
    """The first true answer of `found`. Raises CheckError after `limit_s`."""
    ends = time.monotonic() + limit_s
    while not (answer := found()):
        if time.monotonic() > ends:
            raise CheckError(f"{what}: not within {limit_s:.0f} s")
        time.sleep(1)
    return answer


def documents(elasticsearch: str, index: str, mark: str) -> list[dict[str, Any]]:
    """Indexed records of the brand `mark`."""
    query = json.dumps({"size": 100, "query": {"term": {"brand": mark}}}).encode()
    for path, body in ((f"{index}/_refresh{LENIENT}", b""), (f"{index}/_search{LENIENT}", query)):
        request = urllib.request.Request(f"http://{elasticsearch}/{path}", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = json.load(answer)
    hits: list[dict[str, Any]] = found["hits"]["hits"]
    return hits


def follow(
    engine: Engine,
    running: Mapping[str, Container],
    tokens: Mapping[str, str],
    receiver: Receiver,
    elasticsearch: str,
    index: str,
) -> None:
    """Send records by every way that the docs name and see them arrive everywhere. `running` by component."""
    mark = f"check-{time.time_ns()}"
    rows = "".join(
        json.dumps({"id": f"f{n}", "brand": mark, **FIELDS, "text": TEXT.format(n)}) + "\n" for n in range(20)
    )
    engine.execute(running["worker"], ["triage", "ingest", "-", "--format", "jsonl", "--channel", "complaint"], rows)
    (hit, *_) = until(
        "records from `triage ingest` in the index",
        120,
        lambda: len(f := documents(elasticsearch, index, mark)) == 20 and f,
    )
    print(f"   20 records sent by `triage ingest` are indexed, as {hit['_source']['intent']['label']}")

    def post(number: int) -> None:
        record = {"id": f"h{number}", "brand": mark, **FIELDS, "text": TEXT.format(number), "channel": "complaint"}
        status, text = engine.ask(
            running["api"], "http://127.0.0.1:8082/v1/feedback", tokens["api"], json.dumps({"records": [record]})
        )
        if status not in {200, 202}:
            raise CheckError(f"the API answers {status}: {text}")

    post(0)
    until("a record from the API in the index", 60, lambda: len(documents(elasticsearch, index, mark)) == 21)
    print("   one sent by the API is indexed")
    url = f"http://127.0.0.1:8080/records/{hit['_id']}"
    status, page = engine.ask(running["console"], url, tokens["console"])
    if status != 200 or mark not in page:
        raise CheckError(f"the console answers {status} for {url}: {page[:300]}")
    if engine.ask(running["console"], url)[0] == 200:
        raise CheckError("the console shows a record without a token")
    print("   the console shows it to a caller with a token, and to no other")
    sent = iter(range(1, 10_000))

    def paged() -> Any:
        # Windows close as time of records goes by.
        post(next(sent))
        return [page for page in receiver.pages if "intent" in json.dumps(page)]

    until("a page", PAGE_LIMIT_S, paged)
    print("   the receiver has got the page of the spike")


def commands(engine: Engine, lines: Iterable[tuple[Container, str]]) -> None:
    """Run commands that the docs name, each in its container."""
    for container, line in lines:
        # `--author -` reads the author from standard input.
        engine.execute(container, line.split(), "ann\n")
        print(f"   {line}")


def end(engine: Engine, running: Iterable[Container]) -> None:
    """Stop all by SIGTERM."""
    for container in running:
        print(f"   {container.name} ended by SIGTERM in {engine.stop(container):.0f} of {container.grace_s:.0f} s")
