"""The identity of a worker in its group; tells a lost join from a second process of the same slot."""

from collections import deque

from triage.clock import Clock
from triage.errors import ConfigError, Fenced, TriageError


class MemberIdentity:
    """The group instance id and transactional id of a worker, for its life, over the sources that it rebuilds.

    Being fenced has two causes. If the answer to a join is lost, as with connections that are cut, the broker has
    already made another member of the same id, and the next heartbeat is refused as fenced: joining again helps. Two
    processes of one slot fence each other every few seconds: `limit` times within `within_s` means that.
    """

    def __init__(self, name: str, clock: Clock, limit: int = 8, within_s: float = 120.0) -> None:
        self.name = name
        self._clock = clock
        self._within_s = within_s
        self._fenced_at: deque[float] = deque(maxlen=limit)

    def fenced(self, error: Exception) -> TriageError:
        """The error to raise now that the broker refused this member or producer as fenced: Fenced, or ConfigError."""
        now = self._clock.monotonic()
        self._fenced_at.append(now)
        if len(self._fenced_at) == self._fenced_at.maxlen and now - self._fenced_at[0] <= self._within_s:
            return ConfigError(
                f"another worker runs as {self.name} and took over its partitions: give each process of the fleet its "
                "own --slot"
            )
        return Fenced(f"{self.name} was fenced, by another of its name or by a lost join of its own: {error}")
