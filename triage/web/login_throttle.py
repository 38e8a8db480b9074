"""Limits on guessing tokens."""

import math
from collections.abc import Callable

from cachetools import LRUCache, TTLCache

from triage.web.address import network_of
from triage.web.problem import Problem

_MAX_GUESSES, _WINDOW_S = 5, 60.0
_MAX_CLIENTS = 10_000


class TooManyTries(Problem):
    """No token of this client is checked, a right one neither, for `retry_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        message = f"too many wrong tokens from your address: try again in {math.ceil(wait_s)} s"
        super().__init__(429, "too_many_tries", message, retry_s=wait_s)


class LoginThrottle:
    """Five wrong tokens a minute from one IPv4 address or IPv6 /64.

    Clients have no limit together: with one, anybody could lock everybody out, and tokens are too long for many
    clients to find at this pace. Only the last 10,000 clients are remembered, so that memory is bounded.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # For each client the digests of its wrong tokens of the last minute, and when each came first.
        self._wrong: LRUCache[str, TTLCache[bytes, float]] = LRUCache(_MAX_CLIENTS)

    def check(self, address: str) -> None:
        """Raises TooManyTries while this client may not try."""
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
        """Count a wrong token; False if the same one is counted already, for repeating it reveals nothing.

        So a script with an old token keeps nobody else at its address out.
        """
        client = network_of(address)
        wrong = self._wrong.get(client)
        if wrong is None:
            wrong = self._wrong[client] = TTLCache(_MAX_GUESSES, _WINDOW_S, self._monotonic)
        if digest in wrong:
            return False
        wrong[digest] = self._monotonic()
        return True
