"""Bounds on guessing tokens."""

import math
from collections import OrderedDict
from collections.abc import Callable

from triage.web.address import network_of

_TRIES, _WINDOW_S = 5, 60.0
_MOST_CLIENTS = 10_000


class TooManyTries(Exception):  # noqa: N818 - an answer, not a failure of ours
    """No token of this client is looked at, a right one neither, for `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many wrong tokens from your address: try again in {math.ceil(wait_s)} s")
        self.wait_s = wait_s


class LoginThrottle:
    """Five wrong tokens a minute from one IPv4 address or IPv6 /64.

    There is no bound for all clients together: with one, anybody could lock everybody out, and tokens are too long to
    be found by many clients at this pace. Clients beyond the last 10,000 begin anew, so that memory stays small.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # Of each client the digests of its last wrong tokens, and when they came first.
        self._wrong: OrderedDict[str, dict[bytes, float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooManyTries while this client may not try."""
        client, now = network_of(address), self._monotonic()
        recent = {digest: at for digest, at in self._wrong.get(client, {}).items() if at > now - _WINDOW_S}
        if recent:
            self._wrong[client] = recent
        else:
            self._wrong.pop(client, None)
        if len(recent) >= _TRIES:
            raise TooManyTries(min(recent.values()) + _WINDOW_S - now)

    def failed(self, address: str, digest: bytes) -> bool:
        """Whether this counts as a guess: the same wrong token again tells a guesser nothing.

        So a script with an old token keeps nobody else at its address out.
        """
        client = network_of(address)
        wrong = self._wrong.setdefault(client, {})
        self._wrong.move_to_end(client)
        if len(self._wrong) > _MOST_CLIENTS:
            self._wrong.popitem(last=False)
        if digest in wrong:
            return False
        wrong[digest] = self._monotonic()
        return True
