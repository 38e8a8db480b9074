"""Builds the API's responses to refused requests, and the errors of refused records."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from triage.errors import InvalidRecord, TriageError
from triage.logging import get_logger
from triage.serving.batcher import Overloaded
from triage.web.problem import Problem

log = get_logger("triage.api")

_RETRY_S = 5


def refused(invalid: InvalidRecord) -> dict[str, Any]:
    """The error of one refused record as JSON, which replaces the record's result in the response."""
    named = {"field": invalid.field} if invalid.field else {}
    return {"error": {"code": invalid.reason, "message": str(invalid), **named}}


def on_unexpected(request: Request) -> Response:
    """Build the response, status 500, to a request that failed unexpectedly; the log has the reason."""
    del request
    return Problem(500, "internal_error", "the service failed on this request; its log says why").response()


async def on_problem(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, Problem)
    return error.response()


async def on_http(request: Request, error: Exception) -> Response:
    """Build the response to a request for a path or method that the API does not have."""
    del request
    assert isinstance(error, HTTPException)
    code = {404: "no_such_path", 405: "no_such_method"}.get(error.status_code, "refused")
    return Problem(error.status_code, code, str(error.detail)).response()


async def on_invalid(request: Request, error: Exception) -> Response:
    """Build the response, status 422, to a request whose header or parameter does not match the OpenAPI document."""
    del request
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return Problem(422, "bad_parameter", f"{first['loc'][-1]}: {first['msg']}").response()


async def on_error(request: Request, error: Exception) -> Response:
    """Build the response, status 503, after an error of the service.

    The error is logged; the caller only learns which dependency fails, and that a retry may help.
    """
    assert isinstance(error, TriageError)
    if isinstance(error, Overloaded):
        return Problem(503, "overloaded", str(error).removeprefix("api: "), retry_s=1).response()
    log.error("request_failed", path=request.url.path, error=str(error))
    what = getattr(error, "dependency", "a part of the service")
    return Problem(503, "unavailable", f"{what} does not work now; try again", retry_s=_RETRY_S).response()
