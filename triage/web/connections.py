"""Limits the number of open connections, and their duration.

uvicorn waits without a limit for the end of headers and for clients to read responses. Here each connection is
registered from its start to its end. When the server or one address has too many, the one that has been idle for
longest is closed, so that new requests are served; the new one is closed only if all are busy. `Connections.sweep`,
called every second, closes those that take too long. Everything runs on the event loop.
"""

import asyncio
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from triage.config import WebSettings
from triage.logging import get_logger
from triage.web.address import TrustedProxies, network_of

log = get_logger("triage.web")

_MAX_HEAD_BYTES = 64 * 1024
_FILES = 4_096
_TOO_LARGE = STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n"


class Connections:
    """The open connections of one web server, and their limits."""

    def __init__(self, settings: WebSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        # The other half of the files is for Kafka, Elasticsearch, the model and the health listener.
        self._max = min(settings.max_connections, _raise_file_limit() // 2)
        self._max_per_address = settings.max_connections_per_address
        self._header_timeout_s = settings.header_timeout_s
        self._stall_timeout_s = settings.body_timeout_s
        self._proxies = TrustedProxies(settings.trusted_proxies)
        # Both in the order in which connections began; dicts as ordered sets.
        self._open: dict[Guarded, str] = {}
        self._by_address: defaultdict[str, dict[Guarded, None]] = defaultdict(dict)
        self._closed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: "Guarded") -> None:
        """Register a new connection. If there are too many, close an idle one, or the new one if all are busy."""
        peer = connection.client[0] if connection.client else ""
        # All clients behind a proxy share its address.
        address = "" if peer in self._proxies else network_of(peer)
        same = self._by_address[address]
        full = (len(same) >= self._max_per_address and address and not self._make_room(same)) or (
            len(self._open) >= self._max and not self._make_room(self._open)
        )
        if full:
            self._close(connection, "refused")
        else:
            self._open[connection] = address
            self._by_address[address][connection] = None

    def remove(self, connection: "Guarded") -> None:
        """Remove a connection that has ended, or that switches to the web socket protocol."""
        address = self._open.pop(connection, None)
        if address is not None:
            same = self._by_address[address]
            del same[connection]
            if not same:
                del self._by_address[address]

    def sweep(self) -> None:
        """Close connections that take too long to send headers, or to read a response."""
        now_s = self.monotonic()
        for each in list(self._open):
            unsent = each.transport.get_write_buffer_size()
            if not unsent and not each.transport.is_closing():
                each.stalled_since_s = None
                if each.idle_since_s is not None and now_s - each.idle_since_s >= self._header_timeout_s:
                    self._close(each, "no_request")
            elif each.stalled_since_s is None or unsent < each.unsent_bytes:
                each.stalled_since_s = now_s
            elif now_s - each.stalled_since_s >= self._stall_timeout_s:
                self._close(each, "answer_not_read")
            each.unsent_bytes = unsent
        if self._closed:
            log.warning("connections_closed", open=len(self._open), **self._closed)
            self._closed.clear()

    def _make_room(self, candidates: Iterable["Guarded"]) -> bool:
        idle = [(each.idle_since_s, each) for each in candidates if each.idle_since_s is not None]
        if idle:
            _, victim = min(idle, key=lambda pair: pair[0])
        else:
            unfinished = next((each for each in candidates if each.awaits_body), None)
            if unfinished is None:
                return False
            victim = unfinished
        self._close(victim, "evicted")
        return True

    def _close(self, connection: "Guarded", reason: str) -> None:
        self._closed[reason] += 1
        self.remove(connection)
        connection.transport.abort()


def _raise_file_limit() -> int:
    """Let the process open at least 4,096 files, if its hard limit permits; returns how many it can open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    raised = max(soft, _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised


class Guarded(asyncio.Protocol):
    """Base class of connections registered with `Connections`, which uses their state to choose those to close."""

    guard: Connections
    transport: asyncio.Transport
    client: tuple[str, int] | None
    idle_since_s: float | None = None
    """Time, in s of a monotonic clock, at which it became idle; None while a request is in progress."""
    stalled_since_s: float | None = None
    """Time since which the peer has read nothing of an answer, as seen by sweeps; None without an unread answer."""
    unsent_bytes: int = 0
    """Number of bytes of an answer that the peer had not read at the last sweep."""
    awaits_body: bool = False
    """True while a request's body is incomplete and its answer has not begun."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.guard.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.guard.remove(self)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        self.stalled_since_s = None
        super().resume_writing()


class GuardedHttp(Guarded, HttpToolsProtocol):
    """An HTTP connection of uvicorn, registered with `Connections`; its headers are limited to 64 KiB."""

    def __init__(self, guard: Connections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.guard = guard
        self.idle_since_s = guard.monotonic()
        self._head_bytes: int | None = 0  # None while a body is read

    @property
    def awaits_body(self) -> bool:  # type: ignore[override]
        return self.cycle is not None and self.cycle.more_body and not self.cycle.response_started

    def data_received(self, data: bytes) -> None:
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes is not None and self._head_bytes > _MAX_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        self.idle_since_s = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:
            self.idle_since_s = self.guard.monotonic()

    def handle_websocket_upgrade(self) -> None:
        # The protocol of web sockets registers the same transport again.
        self.guard.remove(self)
        super().handle_websocket_upgrade()


class GuardedWebSocket(Guarded, WebSocketsSansIOProtocol):
    """A web socket connection of uvicorn, registered with `Connections`."""

    def __init__(self, guard: Connections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.guard = guard
