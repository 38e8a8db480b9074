"""The path prefix under which a reverse proxy shows a web process, as `/triage` of https://tools.example/triage/."""

from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Scope

from triage.config.web import normalized_prefix

_HEADER = "x-forwarded-prefix"
_SCOPE = "triage.prefix"


def apply_prefix(scope: Scope, configured: str = "") -> None:
    """Find the prefix; afterwards the path is without it, and X-Forwarded-Prefix, which NiceGUI reads, says the same.

    Comes after `TrustedProxies.apply`: the header is a trusted proxy's, and that proxy has removed the prefix from the
    path. A configured prefix counts instead, and is removed from paths that have it.
    """
    headers = MutableHeaders(scope=scope)
    prefix = configured
    if prefix:
        _remove(scope, prefix)
    elif _HEADER in headers:
        try:
            # Each proxy of a chain adds the part that it has removed, the outermost first.
            prefix = "".join(map(normalized_prefix, ",".join(headers.getlist(_HEADER)).split(",")))
        except ValueError:
            prefix = ""
    del headers[_HEADER]
    if prefix:
        headers[_HEADER] = prefix
    scope["headers"] = headers.raw
    scope[_SCOPE] = prefix


def prefix_of(connection: HTTPConnection) -> str:
    """The prefix before the path of a request, such as `/triage`; empty without one."""
    return str(connection.scope.get(_SCOPE, ""))


def root_of(connection: HTTPConnection) -> str:
    """The address of the process's top: absolute where the prefix is known, else relative to the request's own path."""
    prefix = prefix_of(connection)
    if prefix:
        return f"{prefix}/"
    return "../" * (connection.url.path.count("/") - 1) or "./"


def local_target(text: str) -> str:
    """The part of an address below the top that a visitor asked to return to; empty unless it is below it."""
    path = text.partition("?")[0]
    below = text.isprintable() and "\\" not in text and "//" not in path and ":" not in path.partition("/")[0]
    if not below or path.startswith("/") or {".", ".."} & set(path.split("/")):
        return ""
    return text


def _remove(scope: Scope, prefix: str) -> None:
    path = scope["path"]
    if path == prefix or path.startswith(f"{prefix}/"):
        scope["path"] = path[len(prefix) :] or "/"
        scope["raw_path"] = quote(scope["path"], safe="/:@!$&'()*+,;=~").encode()
