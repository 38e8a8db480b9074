"""Pages wait while the alerter catches up: alerts that are over by then are recorded, others are paged. Pure.

After five hours without an alerter, or with workers that were behind, steps close much faster than time passes. A page
for each spike of those hours would only hide the one that still lasts. Timers of pages are therefore not run while the
steps are old and more of them are known or come fast. They run once the steps are recent, or do not come fast any more;
and after ten times `max_hold_s` in any case.
"""

from triage.config import AlertingSettings

# Shares of `max_page_age_s`: with its default, steps that closed 15 minutes ago are old, and more than 5 minutes of
# steps (at least two steps) within a minute, beyond the clock's own pace, come fast.
_OLD = 24
_FAST = 72
_HOLDS = 10
_JUMP_S = 60.0


class CatchUp:
    """Decides for one partition if pages are held back because the alerter is behind and still catching up."""

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
        """Note the time before steps are closed: the clock in ms, the monotonic time in s, and the watermark's gain.

        `gained_ms` is by how much the watermark gained on the clock, as `PartitionWindows.gained_ms` returns it.
        """
        if self._now_ms is not None and now_ms - self._now_ms > self._old_ms and now_s - self._now_s < _JUMP_S:
            self._jumped_until_s = now_s + _JUMP_S
        self._now_ms, self._now_s = now_ms, now_s
        self._fast = gained_ms > self._fast_ms

    def behind_ms(self, reached_ms: int, until_ms: int) -> int | None:
        """Time in ms by which a page due at `reached_ms` is behind the clock, if it must wait; None if it can be sent.

        All steps up to `reached_ms` are closed; those up to `until_ms` can be closed.
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
