"""The name of a worker in its consumer group, and the error to raise when the broker fences that name."""

from collections import deque

from triage.clock import Clock
from triage.errors import ConfigError, Fenced, TriageError


class MemberIdentity:
    """The name that a worker uses as group instance id and transactional id, for its whole life.

    It also counts how often the broker fenced this name, which has two possible causes. If the response to a join is
    lost, such as by a broken connection, the broker has already created another member with the same id, and refuses
    the next heartbeat as fenced: joining again helps. Two processes with the same slot fence each other every few
    seconds: this is assumed if it happens `limit` times within `within_s` seconds.
    """

    def __init__(self, name: str, clock: Clock, limit: int = 8, within_s: float = 120.0) -> None:
        self.name = name
        self._clock = clock
        self._within_s = within_s
        self._fenced_at: deque[float] = deque(maxlen=limit)

    def fenced(self, error: Exception) -> TriageError:
        """Count a request that the broker refused as fenced, and return the error to raise.

        ConfigError if a second process seems to use the same name, else Fenced, after which the worker joins again.
        """
        now = self._clock.monotonic()
        self._fenced_at.append(now)
        if len(self._fenced_at) == self._fenced_at.maxlen and now - self._fenced_at[0] <= self._within_s:
            return ConfigError(
                f"another worker runs as {self.name} and took over its partitions: give each process of the fleet its "
                "own --slot"
            )
        return Fenced(f"{self.name} was fenced, by another of its name or by a lost join of its own: {error}")
