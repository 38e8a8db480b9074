"""Detects credentials that would be sent over a network in clear text."""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit


class Exposure(NamedTuple):
    """A credential sent in clear text: the `setting` that causes it, a clause on `what` is exposed, the `remedy`."""

    setting: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.what} in clear text; {self.remedy}"


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses, which only this machine can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def leaves_in_clear(url: str) -> bool:
    """True if requests to the URL go to another machine without TLS."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def has_credentials(url: str) -> bool:
    """True if the URL contains `user:password@` or `token@`."""
    return "@" in urlsplit(url).netloc
