"""Determines the addresses of clients, including those that trusted proxies report in headers."""

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

# One household or machine is given a /64, and can send from each of its addresses.
_IPV6_PREFIX = 64
_PREFIX = b"x-forwarded-"
_SECURE = {"http": "https", "ws": "wss"}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """The reverse proxies whose headers are trusted, given by their addresses and networks.

    `identity_headers` are the headers, besides X-Forwarded-*, in which they name the user.
    """

    def __init__(self, networks: Iterable[str], identity_headers: Iterable[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(each) for each in networks]
        self._identity_headers = {name.lower().encode("latin-1") for name in identity_headers if name}

    def __contains__(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def apply(self, scope: Scope) -> None:
        """Set the client's address and scheme from the headers of a trusted proxy; drop such headers of any other peer.

        Afterwards `scope["client"]` is the client, and any X-Forwarded header in the scope comes from a trusted proxy.
        """
        peer = peer_of(HTTPConnection(scope))
        if peer not in self:
            scope["headers"] = [each for each in scope["headers"] if not self._is_from_a_proxy(each[0].lower())]
            return
        headers = Headers(scope=scope)
        scope["client"] = (self._client(peer, headers), 0)
        # A chain of proxies may append to the header: the first one has seen the client.
        schemes = ",".join(headers.getlist("x-forwarded-proto")).split(",")
        if schemes[0].strip().lower() == "https":
            scope["scheme"] = _SECURE.get(scope["scheme"], scope["scheme"])

    def _client(self, peer: str, headers: Headers) -> str:
        """Return the client's address: the last one of X-Forwarded-For that is not a trusted proxy's.

        Each proxy appends the address of its own peer; a client can forge whatever comes before its own address.
        """
        found = peer
        hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
        while hops and found in self:
            hop = _parsed(_without_port(hops.pop().strip()))
            if hop is None:
                break
            found = str(hop)
        return found

    def _is_from_a_proxy(self, name: bytes) -> bool:
        return name.startswith(_PREFIX) or name == b"forwarded" or name in self._identity_headers


def peer_of(connection: HTTPConnection) -> str:
    """Return the address of the client, as determined by `TrustedProxies.apply`; empty if it has none."""
    return connection.client.host if connection.client else ""


def network_of(address: str) -> str:
    """Return the key for limits per client: the /64 network of an IPv6 address, any other `address` unchanged."""
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
    """Return an address without its port, which some proxies add: `192.0.2.7:4711`, `[2001:db8::1]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
