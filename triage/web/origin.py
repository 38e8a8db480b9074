"""Detects requests that a page of another site sends by the visitor's browser (cross-site requests)."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def same_origin(connection: HTTPConnection) -> bool:
    """Return True if a page of this service sent the request, by the header `Sec-Fetch-Site`, else by `Origin`."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    hosts = {connection.headers.get("host"), connection.headers.get("x-forwarded-host")} - {None, ""}
    return urlsplit(connection.headers.get("origin", "")).netloc in hosts
