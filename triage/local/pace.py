"""Determines if the machine keeps up with the feed of the demo."""

import math

_BEHIND_S = 20.0
_WARM_UP_S = 15.0
# The suggested time leaves the machine this much more than it was seen to need.
_RESERVE = 1.25


class Pace:
    """Compares the number of processed records with those sent, while `total` records are sent in `replay_s` seconds.

    Times are in seconds of a monotonic clock.
    """

    def __init__(self, total: int, replay_s: float) -> None:
        self._total = total
        self._replay_s = replay_s
        self._began: tuple[float, int] | None = None
        self._said_slow = False
        self._said_caught_up = False

    def remark(self, now: float, sent: int, processed: int, *, done: bool) -> str | None:
        """Return a new remark for the user on the pace, each once; None if there is none.

        The machine is slow if more records wait than the feed sends in 20 s on average. `now` is in monotonic seconds;
        `done` is True once the feed was sent.
        """
        if not processed:
            return None
        if self._began is None:
            self._began = now, processed
            return None
        per_s = self._total / self._replay_s
        waiting = sent - processed
        if not self._said_slow and waiting > _BEHIND_S * per_s and now - self._began[0] >= _WARM_UP_S:
            rate = (processed - self._began[1]) / (now - self._began[0])
            self._said_slow = True
            return self._slow(waiting, rate, per_s)
        if self._said_slow and not self._said_caught_up and done and waiting <= 0:
            self._said_caught_up = True
            return "all records are processed: what is shown is up to date again"
        return None

    def _slow(self, waiting: int, rate: float, per_s: float) -> str:
        text = (
            f"this machine is too slow for this speed: it processes {rate:,.0f} records/s, the feed sends "
            f"{per_s:,.0f}, {waiting:,} wait; the console shows them late, nothing is lost"
        )
        if rate <= 0:
            return text
        seconds = math.ceil(self._total / rate * _RESERVE / 60) * 60
        return f"{text}. Next time: --seconds {seconds}"
