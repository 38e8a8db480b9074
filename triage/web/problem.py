"""Error responses of a web process: an HTTP status, a stable code, and a sentence for users."""

import math

from starlette.responses import JSONResponse, Response

# The rest of the body would have to be read before the next request.
_BODY_UNREAD = (408, 413)


class Problem(Exception):  # noqa: N818 - an answer, not a failure of the process
    """An exception that ends a request with an error response.

    `retry_s` is the number of seconds after which the request may be repeated (None: not stated).
    """

    def __init__(self, status: int, code: str, message: str, *, retry_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_s = retry_s

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers of the response: `Retry-After`, `WWW-Authenticate: Bearer` and `Connection: close`, where they
        apply.
        """
        found = {} if self.retry_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_s)))}
        if self.status == 401:
            found["WWW-Authenticate"] = "Bearer"
        if self.status in _BODY_UNREAD:
            found["Connection"] = "close"
        return found

    def response(self) -> Response:
        """Build the response as JSON, for programs: `{"error": {"code": ..., "message": ...}}`."""
        return JSONResponse({"error": {"code": self.code, "message": str(self)}}, self.status, self.headers)
