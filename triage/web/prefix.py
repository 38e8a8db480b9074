"""Determines the path prefix under which a proxy serves a process: `/triage` in https://tools.example/triage/."""

from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Scope

from triage.config.web import normalized_prefix

_HEADER = "x-forwarded-prefix"
_SCOPE = "triage.prefix"


def apply_prefix(scope: Scope, configured: str = "") -> None:
    """Determine the prefix of a request; remove it from the path in `scope` and put it into X-Forwarded-Prefix.

    NiceGUI reads that header. Call this after `TrustedProxies.apply`: the header then comes from a trusted proxy, which
    has removed the prefix from the path. A `configured` prefix takes precedence, and is removed from paths that begin
    with it.
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
    """Return the prefix of the request's path, such as `/triage`; empty if there is none."""
    return str(connection.scope.get(_SCOPE, ""))


def root_of(connection: HTTPConnection) -> str:
    """Return the URL of this service's start page: an absolute path if the prefix is known, else a relative one."""
    prefix = prefix_of(connection)
    if prefix:
        return f"{prefix}/"
    return "../" * (connection.url.path.count("/") - 1) or "./"


def local_target(text: str) -> str:
    """Return `text`, a relative URL to which a visitor wants to return, if it stays within this site; else empty."""
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
