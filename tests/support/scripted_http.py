"""A local HTTP server with scripted answers, which records its requests."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Sent], tuple[Any, ...] | None]


class ScriptedServer:
    """`answer(Sent) -> (status, body)` or `(status, body, headers)`; a dict is sent as JSON, None hangs up.

    `sent` holds every request, unless `keep` is false.
    """

    def __init__(self, answer: Answer, keep: bool = True) -> None:
        self.sent: list[Sent] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                sent = Sent(self.command, self.path, dict(self.headers), self.rfile.read(length))
                if keep:
                    script.sent.append(sent)
                answered = answer(sent)
                if answered is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, body, *more = answered
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                headers = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
                self.send_response(status)
                for name, value in {**headers, **(more[0] if more else {})}.items():
                    if value is not None:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def scripted_servers() -> Iterator[Callable[[Answer], ScriptedServer]]:
    """Yield a function that starts a server with an answer; all servers stop with the block."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer) -> ScriptedServer:
            server = ScriptedServer(answer)
            stack.callback(server.close)
            return server

        yield start
