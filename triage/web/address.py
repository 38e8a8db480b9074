"""Where a request comes from: its peer, or whom the proxies we trust name."""

import ipaddress
from collections.abc import Iterable

from starlette.requests import HTTPConnection

# What one household or machine is given: whoever has a /64 can send from each of its addresses.
_IPV6_PREFIX = 64
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Proxies of these addresses and networks; what others say in headers of proxies counts for nothing."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(each) for each in networks]

    def sent(self, connection: HTTPConnection) -> bool:
        """Whether one of them sent this request."""
        return self._trusted(peer_of(connection))

    def client_of(self, connection: HTTPConnection) -> str:
        """The peer's address or, where that is a trusted proxy, the last of X-Forwarded-For that is none.

        Each proxy appends whom it was asked by; what stands before the last stranger, that stranger may have made up.
        """
        found = peer_of(connection)
        hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        while hops and self._trusted(found):
            named = _parsed(_without_port(hops.pop().strip()))
            if named is None:
                break
            found = str(named)
        return found

    def _trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def peer_of(connection: HTTPConnection) -> str:
    """The peer's address, empty where there is none."""
    return connection.client.host if connection.client else ""


def network_of(address: str) -> str:
    """What limits go by: an IPv4 address itself, the /64 of an IPv6 address."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed), _IPV6_PREFIX), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(address: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    # A socket for both families shows 192.0.2.7 as ::ffff:192.0.2.7.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _without_port(hop: str) -> str:
    """`192.0.2.7:4711` and `[2001:db8::1]:4711`, as some proxies write them, without the port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
