"""Reads, sets and deletes cookies, all with the same attributes.

Over TLS a cookie is Secure, and its name has the prefix `__Host-`: browsers then accept it from this host only, not
from another host of the same domain. If there is a path prefix, it is part of the name, so that processes on one host
have separate cookies; the cookie's path cannot do that, because `__Host-` requires `/`.
"""

from typing import Literal

from starlette.requests import HTTPConnection
from starlette.responses import Response

from triage.web.prefix import prefix_of

_PREFIX = "__Host-"


def cookie_of(connection: HTTPConnection, name: str) -> str:
    """Return the value of the cookie `name` (without prefixes); empty if the request does not have it."""
    return connection.cookies.get(cookie_name(connection, name), "")


def set_cookie(
    connection: HTTPConnection,
    response: Response,
    name: str,
    value: str,
    *,
    max_age_s: int | None = None,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Set a cookie that scripts cannot read; if `max_age_s` is None it ends with the browser's session."""
    response.set_cookie(
        cookie_name(connection, name),
        value,
        max_age=max_age_s,
        httponly=True,
        samesite=same_site,
        secure=is_secure(connection),
    )


def delete_cookie(connection: HTTPConnection, response: Response, name: str) -> None:
    response.delete_cookie(
        cookie_name(connection, name), httponly=True, samesite="strict", secure=is_secure(connection)
    )


def cookie_name(connection: HTTPConnection, name: str) -> str:
    """Return the name that the cookie `name` has in the browser: with the proxy's path prefix, over TLS with `__Host-`.

    Under the prefix `/triage`, `session` becomes `session.triage`, and over TLS `__Host-session.triage`.
    """
    own = name + prefix_of(connection).replace("/", ".")
    return f"{_PREFIX}{own}" if is_secure(connection) else own


def is_secure(connection: HTTPConnection) -> bool:
    """True if the client is connected over TLS, to this process or to a trusted proxy."""
    return connection.scope.get("scheme", "http") in {"https", "wss"}
