"""The records per minute that a caller may send, over all routes."""

from starlette.requests import Request

from triage.config import ApiSettings
from triage.metrics import Metrics
from triage.runtime.rate_limiter import RateLimiter
from triage.serving.auth import caller_of
from triage.web.problem import Problem


class Allowance:
    """Counts the records of each caller against `api.records_per_minute`."""

    def __init__(self, settings: ApiSettings, limiter: RateLimiter, metrics: Metrics) -> None:
        self._settings, self._limiter, self._metrics = settings, limiter, metrics

    def grant(self, request: Request, records: int) -> None:
        """Count `records` for the caller of the request. Raises Problem 429, and counts none, if it must wait."""
        wait_s = self._limiter.take(caller_of(request), records)
        if wait_s > 0:
            self._metrics.api_limited.inc()
            limit = self._settings.records_per_minute
            raise Problem(429, "too_many_a_minute", f"at most {limit} records per minute; wait", retry_s=wait_s)
