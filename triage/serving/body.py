"""Reading what a request carries, within limits."""

from typing import Any

import msgspec
from starlette.requests import Request

from triage.serving.problem import Problem


async def json_body(request: Request, most_bytes: int) -> Any:
    """The decoded body. Raises Problem: 415 unless it is announced as JSON, 413 beyond the limit, 400 for no JSON.

    A browser sends JSON to a foreign address only after asking, which is never granted here.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json", "send JSON with Content-Type: application/json")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(most_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    try:
        return msgspec.json.decode(bytes(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "not_json", f"the body is no JSON: {error}") from error


def records_of(body: Any, most: int) -> list[Any]:
    """The list in `records`. Raises Problem."""
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not records:
        raise Problem(422, "no_records", 'the body is an object with a list: {"records": [{"text": "..."}]}')
    if len(records) > most:
        raise Problem(413, "too_many_records", f"{len(records)} records; one request takes at most {most}")
    return records


def _too_large(most_bytes: int) -> Problem:
    return Problem(413, "too_large", f"the body is larger than {most_bytes} bytes; send fewer records at once")
