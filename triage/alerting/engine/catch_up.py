"""Delays pages while the alerter catches up: alerts that end in that time are recorded, only the others are paged.

Pure.

After hours without an alerter, or with workers that lagged, steps close much faster than time passes. Pages for every
spike of those hours would hide the one that is still firing. Page timers are therefore held while steps are old and
more old steps are known or arrive fast. They run once the steps are recent or no longer arrive fast, and in any case
after ten times `max_hold_s`.
"""

from triage.config import AlertingSettings

# Shares of `max_page_age_s`: with its default, steps that closed 15 minutes ago are old, and more than 5 minutes of
# steps (at least two steps) within a minute, beyond the clock's own pace, come fast.
_OLD = 24
_FAST = 72
_HOLDS = 10
_JUMP_S = 60.0


class CatchUp:
    """Decides for one partition whether pages are delayed because the alerter is still catching up with old counts."""

    def __init__(self, settings: AlertingSettings) -> None:
        self._lateness_ms = settings.allowed_lateness_s * 1000
        self._old_ms = settings.max_page_age_s * 1000 // _OLD
        self._fast_ms = max(settings.max_page_age_s * 1000 // _FAST, 2 * settings.window_s * 1000)
        self._longest_s = settings.max_hold_s * _HOLDS
        self._now_ms: int | None = None
        self._now_s = 0.0
        self._fast = False
        self._since_s: float | None = None
        # Until then a step may only look old, because the clock jumped.
        self._jumped_until_s = float("-inf")

    def begin(self, now_ms: int, now_s: float, gained_ms: int) -> None:
        """Record the current state before steps are closed; `behind_ms` uses it.

        `now_ms` is the wall clock in ms, `now_s` the monotonic clock in s. `gained_ms` is the result of
        `PartitionWindows.gained_ms`: by how much event time has advanced faster than the clock.
        """
        if self._now_ms is not None and now_ms - self._now_ms > self._old_ms and now_s - self._now_s < _JUMP_S:
            self._jumped_until_s = now_s + _JUMP_S
        self._now_ms, self._now_s = now_ms, now_s
        self._fast = gained_ms > self._fast_ms

    def behind_ms(self, reached_ms: int, until_ms: int) -> int | None:
        """Return how many ms a page due at `reached_ms` is late, if it must be delayed; None if it can be sent now.

        Times are event time: all steps up to `reached_ms` are closed, and those up to `until_ms` are ready to be
        closed.
        """
        if self._now_ms is None or self._now_s < self._jumped_until_s:
            return None
        age_ms = self._now_ms - self._lateness_ms - reached_ms
        if age_ms <= self._old_ms or not (self._fast or until_ms - reached_ms > self._fast_ms):
            self._since_s = None
            return None
        if self._since_s is None:
            self._since_s = self._now_s
        return age_ms if self._now_s - self._since_s <= self._longest_s else None
