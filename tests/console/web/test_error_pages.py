"""Addresses that lead nowhere lead back, and a page that failed says so without saying why."""

import asyncio
import time

import httpx
import pytest
from fastapi import FastAPI

from triage.config import ConsoleSettings
from triage.console.web.error_pages import add_error_pages
from triage.console.web.login import LoginMiddleware

PAGE = {"accept": "text/html,*/*"}


@pytest.fixture
def ask():
    app = FastAPI()
    add_error_pages(app)
    app.add_middleware(LoginMiddleware, settings=ConsoleSettings(), monotonic=time.monotonic)

    @app.get("/broken")
    async def broken():
        raise RuntimeError("a text of somebody")

    async def asked(path, headers):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            return await client.get(path, headers=headers)

    return lambda path, **headers: asyncio.run(asked(path, headers))


def test_no_such_page_leads_to_those_that_there_are(ask):
    answer = ask("/no/such", **PAGE)
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert 'href="../explore"' in answer.text
    assert "没有这个页面" in ask("/no/such", **PAGE, **{"accept-language": "zh"}).text


def test_a_page_that_failed_keeps_the_reason_for_the_log(ask, capfd):
    answer = ask("/broken", **PAGE)
    assert answer.status_code == 500
    assert "This page failed" in answer.text
    assert "somebody" not in answer.text
    assert "page_failed" in "".join(capfd.readouterr())


def test_programs_are_answered_as_programs(ask):
    answer = ask("/no/such")
    assert (answer.status_code, answer.json()) == (404, {"error": "Page not found"})
