"""Reads the bodies of requests, within limits."""

from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from triage.web.problem import Problem

_MAX_FIELDS = 50


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read the whole body.

    Raises Problem 413 above `max_bytes`, 408 if it is incomplete when `BodyDeadline` expires.
    """
    declared = request.headers.get("content-length", "")
    body = bytearray()
    try:
        if declared.isdecimal() and int(declared) > max_bytes:
            raise _too_large(max_bytes)
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
    except ClientDisconnect:
        raise Problem(408, "incomplete", "the body was not complete in time; send the request again") from None
    return bytes(body)


async def read_form(request: Request, max_bytes: int) -> dict[str, list[str]]:
    """Read the fields of an HTML form: a list of values for each name.

    Raises Problem 400 for more than 50 fields, 413 for a body above `max_bytes`, 408 for an incomplete one.
    """
    body = await read_body(request, max_bytes)
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Problem(400, "bad_form", f"a form has at most {_MAX_FIELDS} fields") from None


def _too_large(max_bytes: int) -> Problem:
    return Problem(413, "too_large", f"the body is larger than {max_bytes} bytes; send less at once")
