"""Posts JSON to a receiver; errors show whether a retry can succeed."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from triage.alerting.notifiers.base import Refused, Throttled
from triage.errors import AccessDenied, DependencyError, Unavailable

_LONGEST_RETRY_AFTER_S = 900.0
_ERROR_CHARS = 300
# Answers that no other page would change, but someone can: the address is wrong or not in use any more (404, 405, 410,
# 421), a proxy wants a login (407), an account is not paid (402) or locked (423), the receiver is forbidden (451).
_MENDABLE = frozenset({402, 404, 405, 407, 410, 421, 423, 451})
# Answers that ask for the same request again: 408 Request Timeout, 425 Too Early.
_AGAIN = frozenset({408, 425})


class JsonPost:
    """Posts to one URL, which is secret and never appears in messages.

    `name` is the receiver's name in errors; `setting` is the setting that errors tell the user to check (default:
    `<name>_url`).
    """

    def __init__(
        self,
        name: str,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        setting: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._url = url
        self._setting = setting or f"{name}_url"
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            transport=transport,
            follow_redirects=False,
            headers={"user-agent": "triage-alerter", "content-type": "application/json", **(headers or {})},
        )

    async def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> bytes:
        """Post a JSON body to the receiver's URL; returns the body of the response.

        Raises Throttled for 429, and for 5xx with Retry-After; Unavailable for other 5xx, 408, 425 and network errors;
        AccessDenied for 401 and 403; Refused for redirects and what else a setting can mend, such as 404, 407 and 410;
        DependencyError for other statuses and an invalid URL.
        """
        try:
            # With `params`, httpx would replace the query that the URL has.
            url = httpx.URL(self._url).copy_merge_params(params) if params else self._url
            response = await self._client.post(url, content=body, headers=dict(headers or {}))
        except httpx.TransportError as error:
            raise Unavailable(self._name, f"{type(error).__name__}: {error}".rstrip(": ")) from error
        except (httpx.InvalidURL, httpx.HTTPError) as error:
            raise DependencyError(self._name, f"cannot be posted to: {type(error).__name__}") from error
        status = response.status_code
        if 200 <= status < 300:
            return response.content
        error_text = f"HTTP {status} {self._without_address(response.text)[:_ERROR_CHARS].strip()}".strip()
        if status == 429 or (status >= 500 and "retry-after" in response.headers):
            raise Throttled(self._name, error_text, _retry_after_s(response))
        if status >= 500 or status in _AGAIN:
            raise Unavailable(self._name, error_text)
        if status in {401, 403}:
            raise AccessDenied(self._name, f"{error_text}; check alerting.{self._setting}")
        if 300 <= status < 400 or status in _MENDABLE:
            raise Refused(self._name, f"{error_text}; check alerting.{self._setting}")
        raise DependencyError(self._name, error_text)

    async def close(self) -> None:
        await self._client.aclose()

    def _without_address(self, text: str) -> str:
        """Remove the URL and its path from a response: a server that echoes it must not reveal it, it is a secret."""
        try:
            path = httpx.URL(self._url).raw_path.decode()
        except httpx.InvalidURL:
            return text
        for secret in (self._url, path, path.partition("?")[0]):
            if len(secret) > 1:
                text = text.replace(secret, "...")
        return text


def _retry_after_s(response: httpx.Response) -> float:
    """Seconds to wait by the header Retry-After, from 0 to 900; 0 if it is missing or not valid.

    The header has seconds or an HTTP date (RFC 9110, 10.2.3).
    """
    given: Any = response.headers.get("retry-after", "")
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S) if math.isfinite(seconds) else 0.0
