"""An answer other than the one that was asked for: a status, a stable code, and a sentence for people."""

import math

from starlette.responses import JSONResponse, Response

# The rest of the body would have to be read before the next request.
_BODY_UNREAD = (408, 413)


class Problem(Exception):  # noqa: N818 - an answer, not a failure of the process
    """Ends a request with this answer; `retry_s` says after how many seconds it may be tried again."""

    def __init__(self, status: int, code: str, message: str, *, retry_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_s = retry_s

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers of the answer.

        `Retry-After`, `WWW-Authenticate` and `Connection`, where they apply.
        """
        found = {} if self.retry_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_s)))}
        if self.status == 401:
            found["WWW-Authenticate"] = "Bearer"
        if self.status in _BODY_UNREAD:
            found["Connection"] = "close"
        return found

    def response(self) -> Response:
        """The answer to a program."""
        return JSONResponse({"error": {"code": self.code, "message": str(self)}}, self.status, self.headers)
