"""Limits the number of wrong tokens that a client may try."""

import math
from collections.abc import Callable

from cachetools import LRUCache, TTLCache

from triage.web.address import network_of
from triage.web.problem import Problem

_MAX_GUESSES, _WINDOW_S = 5, 60.0
_MAX_CLIENTS = 10_000


class TooManyTries(Problem):
    """The response (429) to a client that has tried too many wrong tokens.

    For `wait_s` seconds none of its tokens is checked, not even a correct one.
    """

    def __init__(self, wait_s: float) -> None:
        message = f"too many wrong tokens from your address: try again in {math.ceil(wait_s)} s"
        super().__init__(429, "too_many_tries", message, retry_s=wait_s)


class LoginThrottle:
    """Limits each client (an IPv4 address or IPv6 /64 network) to five wrong tokens a minute.

    All clients together are not limited: a common limit would let anybody lock everybody out, and tokens are too long
    to be guessed at this rate by many clients. Only the last 10,000 clients are remembered, to limit memory.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # For each client the digests of its wrong tokens of the last minute, and when each came first.
        self._wrong: LRUCache[str, TTLCache[bytes, float]] = LRUCache(_MAX_CLIENTS)

    def check(self, address: str) -> None:
        """Raise TooManyTries if this client has sent five wrong tokens in the last minute."""
        client = network_of(address)
        wrong = self._wrong.get(client)
        if wrong is None:
            return
        wrong.expire()
        if not wrong:
            del self._wrong[client]
        elif len(wrong) >= _MAX_GUESSES:
            raise TooManyTries(min(wrong.values()) + _WINDOW_S - self._monotonic())

    def failed(self, address: str, digest: bytes) -> bool:
        """Count a wrong token, given by its digest; returns False if the same token was already counted.

        A repeated token reveals nothing, and a script with an outdated token does not block other users at its address.
        """
        client = network_of(address)
        wrong = self._wrong.get(client)
        if wrong is None:
            wrong = self._wrong[client] = TTLCache(_MAX_GUESSES, _WINDOW_S, self._monotonic)
        if digest in wrong:
            return False
        wrong[digest] = self._monotonic()
        return True
