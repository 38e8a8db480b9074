"""Guards NiceGUI's web sockets: one transport, one origin, and pages that only their own user's sockets can use."""

from collections.abc import Callable
from typing import Any

import nicegui
import socketio
from nicegui.client import Client
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage.logging import get_logger
from triage.web.auth import user_of

log = get_logger("triage.console")

# All events of NiceGUI but `connect` and `disconnect`; each names the page it is for.
_EVENTS = ("handshake", "event", "javascript_response", "ack", "log")
_ENGINE_PACKETS = tuple("0123456")
_INVALID_DATA = 1007
Handler = Callable[..., Any]


class EngineFrames:
    """ASGI middleware that closes a web socket when it receives a text frame that is not an Engine.IO packet.

    Such a frame makes Engine.IO raise in its receive loop, without cleaning up the socket's state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return

        async def receive_packet() -> Message:
            message = await receive()
            text = message.get("text")
            if text is None or text.startswith(_ENGINE_PACKETS):
                return message
            log.warning("socket_frame_refused", error="no packet")
            await send({"type": "websocket.close", "code": _INVALID_DATA})
            return {"type": "websocket.disconnect", "code": _INVALID_DATA}

        await self._app(scope, receive_packet, send)


def guard_sockets(server: socketio.AsyncServer | None = None) -> None:
    """Restrict NiceGUI's socket server, so that a socket can only use its own user's page. Call once per process.

    NiceGUI identifies a page by an id in the page's HTML, and passes each event to the page whose id it names. With
    these guards a socket can attach only to a page that was built for its user, and send events only to that page. HTTP
    polling is disabled, because LoginMiddleware supervises web sockets, and each poll could come from another client.
    """
    server = server or nicegui.core.sio
    server.eio.transports = ["websocket"]
    # LoginMiddleware checks origins. Here none gets headers that would allow it to read answers.
    server.eio.cors_allowed_origins = []
    nicegui.app.config.socket_io_js_transports = ["websocket"]
    server.eio.handlers["message"] = _guarded_message(server.eio.handlers["message"])
    handlers = server.handlers["/"]
    handlers["connect"] = _guarded_connect(handlers["connect"])
    for name in _EVENTS:
        handlers[name] = _guarded_event(server, name, handlers[name])


def _guarded_message(handle: Handler) -> Handler:
    async def handle_readable(sid: str, data: Any) -> None:
        """Handle a frame of Socket.IO; one that cannot be parsed is dropped with a warning."""
        try:
            await handle(sid, data)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            log.warning("socket_frame_refused", error=type(error).__name__)

    return handle_readable


def _guarded_connect(connect: Handler) -> Handler:
    async def connect_to_own_page(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Connect a socket, unless its URL names a page of another user (NiceGUI's implicit handshake).

        In that case raises socketio's ConnectionRefusedError.
        """
        connection = HTTPConnection(environ["asgi.scope"])
        named = connection.query_params.get("client_id")
        if named is not None and not _belongs(named, connection):
            # NiceGUI's script reloads the page at this message.
            raise socketio.exceptions.ConnectionRefusedError("Implicit handshake failed")
        await connect(sid, environ, auth)

    return connect_to_own_page


def _guarded_event(server: socketio.AsyncServer, name: str, handler: Handler) -> Handler:
    async def handle_of_own_page(sid: str, message: Any) -> Any:
        named = message.get("client_id") if isinstance(message, dict) else None
        if name == "handshake":
            scope = server.get_environ(sid)["asgi.scope"]
            allowed = isinstance(named, str) and _belongs(named, HTTPConnection(scope))
        else:
            # NiceGUI puts a socket into a room named after its page at the handshake.
            allowed = isinstance(named, str) and named in server.rooms(sid)
        if not allowed:
            log.warning("socket_event_refused", event_name=name)
            return False
        try:
            found = handler(sid, message)
            return await found if name == "handshake" else found
        except (KeyError, TypeError, ValueError) as error:
            # A frame of another form than NiceGUI's script sends; handlers of pages raise nothing to here.
            log.warning("socket_event_refused", event_name=name, error=type(error).__name__)
            return False

    return handle_of_own_page


def _belongs(client_id: str, connection: HTTPConnection) -> bool:
    """True if the page was built for the user of this socket."""
    client = Client.instances.get(client_id)
    return client is not None and user_of(client.request) == user_of(connection)
