"""Guessing tokens is slow for each client, and nobody is kept out by others."""

import pytest

from triage.web import login_throttle as module
from triage.web.login_throttle import LoginThrottle, TooManyTries


def _fail(tries, address, *tokens):
    return [tries.failed(address, token.encode()) for token in tokens]


def _waits(tries, address):
    try:
        tries.check(address)
    except TooManyTries as wait:
        return wait.retry_s
    return 0


def test_five_wrong_tokens_and_the_client_waits_until_the_first_is_a_minute_old(clock):
    tries = LoginThrottle(clock.monotonic)
    for token in "abcd":
        _fail(tries, "192.0.2.7", token)
        clock.advance(10)
        assert _waits(tries, "192.0.2.7") == 0
    _fail(tries, "192.0.2.7", "e")
    assert _waits(tries, "192.0.2.7") == 20
    clock.advance(20)
    assert _waits(tries, "192.0.2.7") == 0
    _fail(tries, "192.0.2.7", "f")
    assert _waits(tries, "192.0.2.7") == 10


def test_the_same_wrong_token_again_is_no_further_guess(clock):
    tries = LoginThrottle(clock.monotonic)
    assert _fail(tries, "192.0.2.7", *"aaaaaaa") == [True, *[False] * 6]
    assert _waits(tries, "192.0.2.7") == 0


def test_others_are_not_kept_out_however_many_guess(clock):
    tries = LoginThrottle(clock.monotonic)
    for number in range(100):
        _fail(tries, f"198.51.100.{number}", *"abcde")
    assert _waits(tries, "198.51.100.0") == 60
    assert _waits(tries, "192.0.2.7") == 0


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "192.0.2.7", False),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(clock, first, second, same):
    tries = LoginThrottle(clock.monotonic)
    _fail(tries, first, *"abcde")
    assert (_waits(tries, second) > 0) == same


def test_only_the_last_clients_are_remembered(clock, monkeypatch):
    monkeypatch.setattr(module, "_MAX_CLIENTS", 3)
    tries = LoginThrottle(clock.monotonic)
    for number in range(5):
        _fail(tries, f"192.0.2.{number}", *"abcde")
    assert [_waits(tries, f"192.0.2.{number}") > 0 for number in range(5)] == [False, False, True, True, True]
    clock.advance(60)
    for number in range(5):
        assert _waits(tries, f"192.0.2.{number}") == 0
    assert not tries._wrong
