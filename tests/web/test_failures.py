"""A request that failed unexpectedly is answered with the security headers and without the reason."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from triage.web.failures import UnexpectedErrors
from triage.web.headers import SecurityHeaders


async def _fails(request):
    raise RuntimeError("a text of somebody")


async def _fails_midway(request):
    async def parts():
        yield b"first"
        raise RuntimeError("a text of somebody")

    return StreamingResponse(parts())


async def _works(request):
    return PlainTextResponse("fine")


def _get(path):
    app = Starlette(routes=[Route("/fails", _fails), Route("/midway", _fails_midway), Route("/works", _works)])
    app.add_middleware(UnexpectedErrors, answer=lambda request: PlainTextResponse(f"no {request.url.path}", 500))
    app.add_middleware(SecurityHeaders, headers={"x-frame-options": "DENY"})

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_the_answer_has_the_headers_and_the_log_the_reason(capfd):
    answer = _get("/fails")
    assert (answer.status_code, answer.text) == (500, "no /fails")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    printed = "".join(capfd.readouterr())
    assert "request_failed" in printed
    assert "a text of somebody" in printed


def test_an_answer_that_has_begun_is_cut():
    with pytest.raises(RuntimeError):
        _get("/midway")


def test_others_are_left_alone():
    assert _get("/works").text == "fine"
