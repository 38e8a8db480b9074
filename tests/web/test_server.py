"""What a web process without a login answers, and to whom."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from triage.config import ConsoleSettings
from triage.web.server import check_reach, local_names_only

TOKEN = {"name": "ann", "role": "operator", "token": "a-token-of-enough-letters"}


def _answer(named, **settings):
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("in"))])
    transport = httpx.ASGITransport(local_names_only(app, ConsoleSettings(**settings)))

    async def ask():
        async with httpx.AsyncClient(transport=transport, base_url="http://there") as client:
            return (await client.get("/", headers={"host": named})).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080"])
def test_without_a_login_this_machine_is_asked_by_its_own_names(host):
    assert _answer(host) == 200


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:8080", "127.0.0.1.example:80", ""])
def test_a_name_that_somebody_points_here_is_refused(host):
    assert _answer(host) == 400


def test_with_a_login_or_beyond_this_machine_any_name_will_do():
    assert _answer("triage.example", tokens=[TOKEN]) == 200
    assert _answer("triage.example", host="0.0.0.0", allow_without_login=True) == 200


def test_tokens_in_clear_text_are_warned_of_at_start(capfd):
    check_reach(ConsoleSettings(host="0.0.0.0", tokens=[TOKEN]), "console")
    assert "credentials_in_clear_text" in "".join(capfd.readouterr())
    check_reach(ConsoleSettings(tokens=[TOKEN]), "console")
    check_reach(ConsoleSettings(host="0.0.0.0", tokens=[TOKEN], trusted_proxies=["10.0.0.0/8"]), "console")
    assert "credentials_in_clear_text" not in "".join(capfd.readouterr())
