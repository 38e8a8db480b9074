"""Tells a worker that is fenced now and then, as faults do it, from one that another process takes its slot from."""

from collections import deque

from triage.clock import Clock
from triage.errors import ConfigError, Fenced, TriageError


class MemberIdentity:
    """The group instance id and transactional id of a worker, for its life, over the feeds that it rebuilds.

    A join that the broker handles and whose answer is lost, as with connections that are cut, makes another member of
    the same id of its sender: its next heartbeat is refused as fenced. Joining again mends that. Two processes of one
    slot fence each other every few seconds: `most` times within `within_s` tells them.
    """

    def __init__(self, name: str, clock: Clock, most: int = 8, within_s: float = 120.0) -> None:
        self.name = name
        self._clock = clock
        self._within_s = within_s
        self._times: deque[float] = deque(maxlen=most)

    def fenced(self, error: Exception) -> TriageError:
        """What to raise now that the broker has refused this member or producer as fenced: Fenced, or ConfigError."""
        now = self._clock.monotonic()
        self._times.append(now)
        if len(self._times) == self._times.maxlen and now - self._times[0] <= self._within_s:
            return ConfigError(
                f"another worker runs as {self.name} and took over its partitions: give each process of the fleet its "
                "own --slot"
            )
        return Fenced(f"{self.name} was fenced, by another of its name or by a lost join of its own: {error}")
