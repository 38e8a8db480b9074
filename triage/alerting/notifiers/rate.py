"""How often a receiver may be called: a token bucket in real seconds, and a pause that the receiver asks for."""

from dataclasses import dataclass

from triage.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then `per_s` a second."""

    burst: int
    per_s: float


class TokenBucket:
    """Without a rate only pauses count. Slots are given in the order in which they are asked for."""

    def __init__(self, rate: Rate | None, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = float(rate.burst) if rate else 0.0
        self._at_s = clock.monotonic()
        self._paused_until_s = self._at_s

    def reserve(self) -> float:
        """Take the next slot; returns how many seconds to wait for it."""
        now_s = self._clock.monotonic()
        pause_s = max(0.0, self._paused_until_s - now_s)
        if self._rate is None:
            return pause_s
        self._tokens = min(float(self._rate.burst), self._tokens + (now_s - self._at_s) * self._rate.per_s)
        self._at_s = now_s
        self._tokens -= 1
        return max(pause_s, -self._tokens / self._rate.per_s)

    def pause(self, seconds: float) -> None:
        """The receiver asked for it: nobody calls before then."""
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic() + seconds)
