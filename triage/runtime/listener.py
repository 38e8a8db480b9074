"""A small WSGI server for health probes, with limits on the number and the duration of connections.

Each connection has a thread and one request. When there are too many, the one that has been sending its request for
longest is closed, so that a new one is served; the new one is closed only if all others are being answered.
"""

import contextlib
import socket
import sys
import threading
import time
from collections import Counter
from http.client import LineTooLong
from io import BufferedIOBase, BufferedReader
from socketserver import ThreadingMixIn
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from triage.logging import get_logger

log = get_logger("triage.health")

_MAX_CONNECTIONS = 64
_HEADER_TIMEOUT_S = 5.0
_ANSWER_TIMEOUT_S = 30.0
_MAX_HEAD_BYTES = 64 * 1024


class Listener(ThreadingMixIn, WSGIServer):
    """A WSGI server with a thread per connection, and limits on the number and duration of connections."""

    daemon_threads = True
    request_queue_size = 128
    monotonic = staticmethod(time.monotonic)

    def __init__(self, *arguments: Any) -> None:
        # In the order in which connections began; True while one is being answered.
        self._open: dict[socket.socket, tuple[float, bool]] = {}
        self._lock = threading.Lock()
        self._closed: Counter[str] = Counter()
        super().__init__(*arguments)

    @property
    def connections(self) -> int:
        """Number of open connections of the server."""
        return len(self._open)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for a new connection.

        At the limit of 64, close one that is still sending, else the new one.
        """
        with self._lock:
            if len(self._open) >= _MAX_CONNECTIONS and not self._make_room():
                self._closed["refused"] += 1
                super().shutdown_request(request)
                return
            self._open[request] = (self.monotonic(), False)
        super().process_request(request, client_address)

    def answering(self, request: socket.socket) -> None:
        """Record that the request of this connection is complete and is being answered."""
        with self._lock:
            if request in self._open:
                self._open[request] = (self.monotonic(), True)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and stop counting it as open."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close connections that take too long to send headers or read the response; called every half second."""
        now_s = self.monotonic()
        with self._lock:
            for request, (since_s, answering) in list(self._open.items()):
                if now_s - since_s >= (_ANSWER_TIMEOUT_S if answering else _HEADER_TIMEOUT_S):
                    self._end(request, "answer_not_read" if answering else "no_request")
            closed, self._closed = self._closed, Counter()
        if closed:
            log.warning("connections_closed", open=self.connections, **closed)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the exception of a request, unless it is an OSError, because a client's disconnect is not an error."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            log.warning("probe_failed", error=str(error), kind=type(error).__name__)

    def _make_room(self) -> bool:
        victim = next((each for each, (_, answering) in self._open.items() if not answering), None)
        if victim is not None:
            self._end(victim, "evicted")
        return victim is not None

    def _end(self, request: socket.socket, reason: str) -> None:
        """Shut the connection down, so that its thread wakes and closes it; `reason` is counted for the log."""
        self._closed[reason] += 1
        del self._open[request]
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)


class Listener6(Listener):
    """A Listener on an IPv6 address."""

    address_family = socket.AF_INET6


class _Head:
    """Reads the lines of a request's head (request line and headers). Raises LineTooLong beyond 64 KiB in all."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file
        self._left_bytes = _MAX_HEAD_BYTES

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        self._left_bytes -= len(line)
        if self._left_bytes < 0:
            raise LineTooLong("headers")
        return line

    def close(self) -> None:
        self._file.close()


class Request(WSGIRequestHandler):
    """Handles one request. Requests are not logged, because probes arrive every few seconds."""

    timeout = _HEADER_TIMEOUT_S
    server: Listener

    def handle(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError):
            super().handle()

    def parse_request(self) -> bool:
        self.rfile = cast(BufferedReader, _Head(self.rfile))
        complete = super().parse_request()
        self.server.answering(self.connection)
        return complete

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
