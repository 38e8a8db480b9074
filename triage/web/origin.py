"""Detects requests that a page of another site makes the visitor's browser send (cross-site requests)."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def same_origin(connection: HTTPConnection) -> bool:
    """True if a page of this service sent the request, according to the header `Sec-Fetch-Site`, else `Origin`."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    hosts = {connection.headers.get("host"), connection.headers.get("x-forwarded-host")} - {None, ""}
    return urlsplit(connection.headers.get("origin", "")).netloc in hosts
