"""The page *Guide*: advice, a question as links, and what it says without a catalogue."""

import asyncio
import time

import guides
import httpx
import msgspec
import pytest
from fastapi import FastAPI

from triage.assist.guide.model import GuideRequest
from triage.config import ConsoleSettings
from triage.console.guide.page import guide_routes
from triage.console.web.login import LoginMiddleware
from triage.errors import Unavailable


def get(advise, path="/guide", language="en"):
    app = FastAPI()
    app.include_router(guide_routes(advise))
    app.add_middleware(LoginMiddleware, settings=ConsoleSettings(), monotonic=time.monotonic)

    async def request():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            return await client.get(path, headers={"accept-language": language})

    return asyncio.run(request())


@pytest.fixture(scope="module")
def advise():
    return guides.adviser().advise


def test_items_and_the_next_question(advise):
    page = get(advise, "/guide?text=I+need+a+phone")
    assert page.status_code == 200
    assert "10 items fit." in page.text
    assert "Hualin Aster 5" in page.text
    assert "guide?text=I+need+a+phone%3B+" in page.text
    assert "华林 紫菀5" in get(advise, "/guide?text=手机", "zh").text


def test_the_price_of_the_language_comes_first_and_a_poorer_order_is_told(advise):
    assert advise(GuideRequest(text="a phone", language="en")).results[0].prices.popitem()[0] == "CNY"
    assert advise(GuideRequest(text="手机", language="zh")).results[0].prices.popitem()[0] == "USD"

    def degraded(request):
        return msgspec.structs.replace(advise(request), degraded=True, why_degraded="no encoder")

    assert "Ranked by words alone: no encoder" in get(degraded, "/guide?text=phone").text


def test_reviews_that_could_not_be_read_are_told():
    advise = guides.adviser(find_reviews=lambda items, language: None).advise
    assert "Can’t read the reviews" in get(advise, "/guide?text=phone").text
    assert "Can’t read the reviews" not in get(guides.adviser().advise, "/guide?text=phone").text


def test_a_wish_to_drop(advise):
    assert "items fit without:" in get(advise, "/guide?text=glass+kettle+of+at+least+1.5+litres+under+$30").text


def test_hostile_texts_are_escaped(advise):
    assert "<script>alert" not in get(advise, "/guide?text=<script>alert(1)</script>+phone").text


def test_without_words_or_index():
    assert "Set guide.words" in get(lambda request: None, "/guide?text=x").text

    def broken(request):
        raise Unavailable("elasticsearch", "gone")

    page = get(broken)
    assert (page.status_code, "gone" in page.text) == (503, True)
