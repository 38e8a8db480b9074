"""Who counts as the client of a request: the peer, or whom trusted proxies name."""

import pytest
from starlette.requests import HTTPConnection

from triage.web.address import TrustedProxies, peer_of

PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"], ["Remote-User", ""])


def _applied(peer, *forwarded, scheme="http", **headers):
    """The client's address, the scheme and the names of headers after `apply`."""
    given = [("x-forwarded-for", each) for each in forwarded] + [(k.replace("_", "-"), v) for k, v in headers.items()]
    raw = [(name.encode(), value.encode()) for name, value in given]
    scope = {"type": "http", "scheme": scheme, "headers": raw, "client": (peer, 1234) if peer else None}
    PROXIES.apply(scope)
    return peer_of(HTTPConnection(scope)), scope["scheme"], [name.decode() for name, _ in scope["headers"]]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["203.0.113.1"], "192.0.2.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("::ffff:10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("2001:db8:ffff::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.1, 10.0.0.2"], "203.0.113.1"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.1", "10.0.0.2"], "203.0.113.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["203.0.113.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [","], "10.0.0.1"),
        ("", ["203.0.113.1"], ""),
    ],
)
def test_the_client_of_a_request(peer, forwarded, client):
    assert _applied(peer, *forwarded)[0] == client


def test_only_proxies_are_believed():
    assert "10.9.9.9" in PROXIES
    assert "11.0.0.1" not in PROXIES
    assert "not an address" not in PROXIES


def test_headers_of_proxies_from_anybody_else_are_removed():
    headers = {
        "x_forwarded_proto": "https",
        "x_forwarded_prefix": "/a",
        "forwarded": "for=b",
        "remote_user": "c",
        "accept": "d",
    }
    assert _applied("192.0.2.7", "203.0.113.1", **headers) == ("192.0.2.7", "http", ["accept"])
    client, scheme, names = _applied("10.0.0.1", "203.0.113.1", **headers)
    assert (client, scheme) == ("203.0.113.1", "https")
    assert {"x-forwarded-prefix", "remote-user", "accept"} <= set(names)


@pytest.mark.parametrize(
    ("given", "scheme"),
    [("https", "https"), ("HTTPS", "https"), ("https, http", "https"), ("http,https", "http"), ("", "http")],
)
def test_the_scheme_is_the_clients_also_behind_several_proxies(given, scheme):
    assert _applied("10.0.0.1", "203.0.113.1", x_forwarded_proto=given)[1] == scheme


def test_a_web_socket_behind_tls_is_a_secure_one():
    assert _applied("10.0.0.1", scheme="ws", x_forwarded_proto="https")[1] == "wss"
