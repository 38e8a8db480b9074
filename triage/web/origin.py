"""Detection of requests that another site's page sends with the visitor's browser."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from triage.web.address import TrustedProxies


def same_origin(connection: HTTPConnection, proxies: TrustedProxies) -> bool:
    """True if the browser says that a page of this service sent the request (`Sec-Fetch-Site`, else `Origin`)."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    hosts = {connection.headers.get("host", "")}
    if proxies.sent(connection):
        hosts.add(connection.headers.get("x-forwarded-host", ""))
    return urlsplit(origin).netloc in hosts - {""}
