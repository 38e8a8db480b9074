"""Limits rates of calls by token buckets: of the calls to one receiver, or of each of many callers."""

from dataclasses import dataclass

from cachetools import LRUCache

from triage.clock import Clock

_MAX_CALLERS = 10_000
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit on calls: `burst` calls at once, then `per_s` calls a second."""

    burst: int
    per_s: float


class TokenBucket:
    """A token bucket: each call takes tokens, which refill at an even rate up to `burst`.

    If `rate` is None, only `pause` limits calls. Not thread-safe.
    """

    def __init__(self, rate: Rate | None, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = float(rate.burst) if rate else 0.0
        self._at_s = clock.monotonic()
        self._paused_until_s = self._at_s

    def reserve(self) -> float:
        """Take one token, possibly in advance; returns the seconds that the caller must wait before its call."""
        now_s = self._refill()
        pause_s = max(0.0, self._paused_until_s - now_s)
        if self._rate is None:
            return pause_s
        self._tokens -= 1
        return max(pause_s, -self._tokens / self._rate.per_s)

    def take(self, amount: int) -> float:
        """Take tokens if there are enough and return 0; else take none and return the seconds until there are enough.

        An amount above `burst` is granted when the bucket is full; its balance is then negative.
        """
        self._refill()
        if self._rate is None:
            return 0.0
        missing = min(amount, self._rate.burst) - self._tokens
        if missing > _ROUNDING:
            return missing / self._rate.per_s
        self._tokens -= amount
        return 0.0

    def pause(self, seconds: float) -> None:
        """Let `reserve` return waits that end no earlier than `seconds` from now."""
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic() + seconds)

    def _refill(self) -> float:
        now_s = self._clock.monotonic()
        if self._rate is not None:
            self._tokens = min(float(self._rate.burst), self._tokens + (now_s - self._at_s) * self._rate.per_s)
        self._at_s = now_s
        return now_s


class RateLimiter:
    """Limits the calls of each of many callers, with one token bucket per caller.

    Only the last 10,000 callers are remembered, to limit memory. A forgotten caller starts with a full bucket.
    """

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: LRUCache[str, TokenBucket] = LRUCache(_MAX_CALLERS)

    def take(self, caller: str, amount: int) -> float:
        """Take `amount` tokens from the caller's bucket and return 0, or take none and return the seconds to wait."""
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = TokenBucket(self._rate, self._clock)
        return bucket.take(amount)
