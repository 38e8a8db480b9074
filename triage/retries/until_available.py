"""Repeats what a process asks of a dependency at its start, for as long as the dependency is unavailable."""

from collections.abc import Callable
from typing import TypeVar

from triage.clock import Clock
from triage.errors import TriageError
from triage.retries.backoff import backoff
from triage.retries.outages import Outages

_T = TypeVar("_T")

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 5.0


def until_available(ask: Callable[[float], _T], clock: Clock, timeout_s: float) -> _T:
    """Return what `ask` returns; while it raises a retriable TriageError, call it again, for `timeout_s` seconds.

    `ask` gets the seconds that are left, for waits of its own. The log has the begin and the end of the outage. The
    last error is raised after the timeout; an error that is not retriable is raised at once.
    """
    deadline = clock.monotonic() + timeout_s
    outages = Outages(clock)
    waits = backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
    left_s = timeout_s
    while True:
        try:
            answer = ask(left_s)
        except TriageError as error:
            left_s = deadline - clock.monotonic()
            # `ask` may give up half a second early, as `wait_for_kafka` does: its error is the best then.
            if not error.retriable or left_s <= _FIRST_WAIT_S:
                raise
            outages.failed(getattr(error, "dependency", "triage"), str(error))
        else:
            outages.over()
            return answer
        clock.sleep(min(next(waits), left_s))
        left_s = max(0.0, deadline - clock.monotonic())
