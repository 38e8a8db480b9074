"""Addresses of clients: the peer of a connection, or the client that trusted proxies name."""

import ipaddress
from collections.abc import Iterable

from starlette.requests import HTTPConnection

# One household or machine is given a /64, and can send from each of its addresses.
_IPV6_PREFIX = 64
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Proxies at these addresses and networks. From other peers the headers of proxies are ignored."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(each) for each in networks]

    def sent(self, connection: HTTPConnection) -> bool:
        """True if one of them is the peer of this connection."""
        return self._trusted(peer_of(connection))

    def client_of(self, connection: HTTPConnection) -> str:
        """The peer's address or, behind trusted proxies, the last one of X-Forwarded-For that is not theirs.

        Each proxy appends the address of its own peer; a client can forge whatever comes before its own address.
        """
        found = peer_of(connection)
        hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        while hops and self._trusted(found):
            hop = _parsed(_without_port(hops.pop().strip()))
            if hop is None:
                break
            found = str(hop)
        return found

    def _trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def peer_of(connection: HTTPConnection) -> str:
    """The peer's address; empty if it has none."""
    return connection.client.host if connection.client else ""


def network_of(address: str) -> str:
    """The key of limits per client: an IPv4 address itself, the /64 of an IPv6 address."""
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
