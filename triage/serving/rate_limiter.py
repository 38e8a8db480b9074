"""How many records each caller may send: a bucket a caller that fills evenly."""

from collections import OrderedDict
from dataclasses import dataclass

from triage.clock import Clock

_MOST_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class RateLimiter:
    """`per_minute` records, as many at once. Callers beyond the last 10,000 begin anew, which is to their advantage."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = float(per_minute)
        self._per_s = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str, records: int) -> float:
        """0 if they are granted; else the seconds after which they would be, and nothing is taken.

        A request larger than the bucket is granted when that is full, and leaves a debt.
        """
        now_s = self._clock.monotonic()
        bucket = self._buckets.setdefault(caller, _Bucket(self._most, now_s))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        bucket.left = min(self._most, bucket.left + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        wanted = min(float(records), self._most)
        if bucket.left + 1e-9 < wanted:
            return (wanted - bucket.left) / self._per_s
        bucket.left -= records
        return 0.0
