"""Detection of an `Idempotency-Key` that is used again for another request."""

import hashlib
from typing import Any

import msgspec
from cachetools import TTLCache

from triage.clock import Clock
from triage.web.problem import Problem

_MAX_KEYS = 10_000
_REMEMBERED_S = 24 * 3600


class IdempotencyKeys:
    """Remembers the body of each key of the last day, at most 10,000, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._bodies: TTLCache[tuple[str, str, str], bytes] = TTLCache(_MAX_KEYS, _REMEMBERED_S, clock.monotonic)

    def check(self, caller: str, route: str, key: str | None, body: Any) -> None:
        """Raises Problem 422 for a key that this caller sent to this route with another body; nothing without a key."""
        if key is None:
            return
        digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
        if self._bodies.setdefault((caller, route, key), digest) != digest:
            message = "this Idempotency-Key was sent with another body; use a new key for a new request"
            raise Problem(422, "idempotency_key_reused", message)
