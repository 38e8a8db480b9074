"""A small reverse proxy that shows a web process under a path prefix, web sockets too."""

import contextlib
import socket
import threading
from typing import Self
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"


class ReverseProxy:
    """Use it as a context manager: `url` is the address of the prefix, with a final slash.

    With `strips` the prefix is removed from paths, and with `names_it` X-Forwarded-Prefix says which. Paths elsewhere
    are answered by 502, as another service would answer something else. One request per connection.
    """

    def __init__(self, target: str, prefix: str, *, strips: bool = True, names_it: bool = True) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._prefix, self._strips, self._names_it = prefix, strips, names_it
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{prefix}/"
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _end(each)
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        try:
            head, rest = _read_head(client)
            asked = self._rewritten(head)
            if asked is None:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            with socket.create_connection(self._target) as server:
                self._open.add(server)
                server.sendall(asked + _HEAD_END + rest)
                forth = threading.Thread(target=_pipe, args=(client, server), daemon=True)
                forth.start()
                _pipe(server, client)
                _end(server)
                _end(client)
                forth.join()
                self._open.discard(server)
        except OSError:
            pass
        finally:
            self._open.discard(client)
            client.close()

    def _rewritten(self, head: bytes) -> bytes | None:
        """The head for the process behind; None for a path that is not below the prefix."""
        first, *lines = head.decode("latin-1").split("\r\n")
        if not first:
            return None
        method, path, version = first.split(" ")
        if path != self._prefix and not path.startswith((f"{self._prefix}/", f"{self._prefix}?")):
            return None
        if self._strips:
            path = path[len(self._prefix) :]
            path = path if path.startswith("/") else f"/{path}"
        names = {line.partition(":")[0].lower() for line in lines}
        if "upgrade" not in names:
            lines = [line for line in lines if not line.lower().startswith("connection:")] + ["connection: close"]
        if self._names_it:
            lines.append(f"x-forwarded-prefix: {self._prefix}")
        return "\r\n".join([f"{method} {path} {version}", *lines]).encode("latin-1")


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while _HEAD_END not in data:
        part = client.recv(65_536)
        if not part:
            return b"", b""
        data += part
    head, _, rest = data.partition(_HEAD_END)
    return head, rest


def _pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65_536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
