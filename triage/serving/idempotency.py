"""Detects an `Idempotency-Key` that is reused for a different request."""

import hashlib
from typing import Any

import msgspec
from cachetools import TTLCache

from triage.clock import Clock
from triage.web.problem import Problem

_MAX_KEYS = 10_000
_REMEMBERED_S = 24 * 3600


class IdempotencyKeys:
    """The idempotency keys received by this process in the last day, at most 10,000, with a hash of each body."""

    def __init__(self, clock: Clock) -> None:
        self._bodies: TTLCache[tuple[str, str, str], bytes] = TTLCache(_MAX_KEYS, _REMEMBERED_S, clock.monotonic)

    def check(self, caller: str, route: str, key: str | None, body: Any) -> None:
        """Store the key and a hash of the body. Raises Problem 422 if this caller and route used it with another body.

        Does nothing if `key` is None.
        """
        if key is None:
            return
        digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
        if self._bodies.setdefault((caller, route, key), digest) != digest:
            message = "this Idempotency-Key was sent with another body; use a new key for a new request"
            raise Problem(422, "idempotency_key_reused", message)
