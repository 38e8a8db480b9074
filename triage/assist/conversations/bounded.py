"""Reads answers of other services with limits of size and time."""

from collections.abc import Callable

import httpx

_MAX_BYTES = 64 * 1024


def read_bounded(response: httpx.Response, until: float, monotonic: Callable[[], float]) -> bytes:
    """Read the body of a response; raises ValueError if it is above 64 KiB, or comes after `until` (s of `monotonic`).

    httpx limits only the time of each single read.
    """
    body = b""
    for part in response.iter_bytes():
        body += part
        if len(body) > _MAX_BYTES:
            raise ValueError("the answer is too long")
        if monotonic() > until:
            raise ValueError("the answer takes too long")
    return body
