"""Reads and decodes the JSON bodies of requests, within limits."""

from typing import Any

import msgspec
from starlette.requests import Request

from triage.decoding import DecodeError, decoded
from triage.web.body import read_body
from triage.web.problem import Problem


async def json_body(request: Request, max_bytes: int) -> Any:
    """Read and decode the JSON body of a request.

    Raises Problem 415 for another Content-Type, 400 for invalid JSON, 413 for a body above `max_bytes`, 408 for an
    incomplete one.
    """
    return decoded_json(await json_bytes(request, max_bytes))


async def json_bytes(request: Request, max_bytes: int) -> bytes:
    """Read the body of a request that is declared as JSON.

    Raises Problem 415 for another Content-Type, 413 for a body above `max_bytes`, 408 for an incomplete one. (A browser
    sends JSON to another origin only after a preflight request, which the API always refuses.)
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json", "send JSON with Content-Type: application/json")
    return await read_body(request, max_bytes)


def decoded_json(body: bytes) -> Any:
    """Decode a JSON body. Raises Problem 400 if it is invalid."""
    try:
        return decoded(msgspec.json.decode, body)
    except DecodeError as error:
        raise Problem(400, "not_json", f"the body is not JSON: {error}") from error


def records_of(body: Any, max_records: int) -> list[Any]:
    """Return the list in the field `records` of a decoded body.

    Raises Problem 422 if that is not a list or is empty, 413 if it has more than `max_records`.
    """
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not records:
        raise Problem(422, "no_records", 'the body is an object with a list: {"records": [{"text": "..."}]}')
    if len(records) > max_records:
        raise Problem(413, "too_many_records", f"{len(records)} records; one request takes at most {max_records}")
    return records
