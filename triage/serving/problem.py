"""What the API says when it does not do what was asked: a status, a stable code, and a sentence for people."""

import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from triage.errors import InvalidRecord, TriageError
from triage.logging import get_logger
from triage.serving.batcher import Overloaded

log = get_logger("triage.api")

_RETRY_S = 5


class Problem(Exception):  # noqa: N818 - an answer, not a failure of ours
    """Ends a request with this answer; `retry_s` says after how many seconds it may be tried again."""

    def __init__(self, status: int, code: str, message: str, *, retry_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_s = retry_s

    def response(self) -> Response:
        headers = {} if self.retry_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_s)))}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": {"code": self.code, "message": str(self)}}, self.status, headers)


def refused(invalid: InvalidRecord) -> dict[str, Any]:
    """One record's error, beside the results of the others."""
    named = {"field": invalid.field} if invalid.field else {}
    return {"error": {"code": invalid.reason, "message": str(invalid), **named}}


async def on_problem(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, Problem)
    return error.response()


async def on_error(request: Request, error: Exception) -> Response:
    """Our own errors: what is missing goes to the log; callers learn only that trying again may help."""
    assert isinstance(error, TriageError)
    if isinstance(error, Overloaded):
        return Problem(503, "overloaded", str(error).removeprefix("api: "), retry_s=1).response()
    log.error("request_failed", path=request.url.path, error=str(error))
    what = getattr(error, "dependency", "a part of the service")
    return Problem(503, "unavailable", f"{what} does not work now; try again", retry_s=_RETRY_S).response()
