"""The page *Market*: brands, products by aspect, rivals; and what it says where there is nothing to show."""

import asyncio
import re
import time

import httpx
import pytest
from fastapi import FastAPI

from triage.assist.market.names import Brand, Product
from triage.assist.market.report import BrandRow, LostTo, MarketReport, Opinion, ProductRow
from triage.clock import ManualClock
from triage.config import ConsoleSettings, load_settings
from triage.console.market.page import market_routes
from triage.console.market.reading import MarketReader
from triage.console.web.login import LoginMiddleware
from triage.errors import Unavailable

NOW = 1_795_339_800_000
HUALIN, KESTREL = Brand("Hualin", own=True, also=("华林",)), Brand("Kes<trel", own=False)
KETTLE = Product("kettle")
REPORT = MarketReport(
    NOW - 86_400_000,
    NOW,
    30,
    [
        BrandRow(HUALIN, 20, 22, 9, 22 / 30, 1, 2, Opinion(1, 15), ["Hualin", "华林"]),
        BrandRow(KESTREL, 8, 9, 10, 9 / 30, 2, 1, Opinion(3, 2), ["Kes<trel"]),
    ],
    [ProductRow(KETTLE, 12, Opinion(9, 0), {"price": Opinion(0, 11)}, ["kettle"])],
    ["price"],
    [LostTo(HUALIN, KESTREL, 2)],
    {"Nobody": 4},
)


def get(read, language="en"):
    app = FastAPI()
    app.include_router(market_routes(read))
    app.add_middleware(LoginMiddleware, settings=ConsoleSettings(), monotonic=time.monotonic)

    async def request():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            return await client.get("/market", headers={"accept-language": language})

    return asyncio.run(request())


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_brands_products_and_rivals():
    page = get(lambda: REPORT)
    found = text_of(page)
    assert "30 records speak of these brands" in found
    assert "Hualin own 20 73% 1 (before: 2) −88 (−98 to −43)" in found
    assert "kettle 12 +100 (+40 to +100) −100 (−100 to −48)" in found
    assert "Hualin: 2 negative records name Kes&lt;trel" in found
    assert "Nobody (4)" in found
    assert "<trel" not in page.text.replace("&lt;trel", "")


def test_links_open_the_records_that_were_counted():
    page = get(lambda: REPORT).text
    assert (
        'explore?brand=Hualin&amp;brand=%E5%8D%8E%E6%9E%97&amp;from=2026-11-21T09%3A30&amp;to=2026-11-22T09%3A30"'
        in page
    )
    assert "entity=Kes%3Ctrel&amp;" in page


def test_colors_only_where_the_sign_is_sure():
    page = get(lambda: REPORT).text
    assert page.count('class="feeling negative"') == 2
    assert page.count('class="feeling positive"') == 1


def test_chinese_readers_read_chinese():
    found = text_of(get(lambda: REPORT, "zh"))
    assert "30 条记录提到这些品牌" in found
    assert "Hualin：2 条负面记录提到" in found


def test_without_a_file_the_page_says_what_to_set(tmp_path):
    settings = load_settings(None)
    page = get(MarketReader(settings, None, ManualClock(NOW)).read)
    assert page.status_code == 200
    assert "Set market.path" in page.text


@pytest.mark.parametrize("error", [Unavailable("elasticsearch", "no <answer>")])
def test_what_cannot_be_read_is_said(error):
    def read():
        raise error

    page = get(read)
    assert page.status_code == 503
    assert "no &lt;answer&gt;" in page.text


def test_a_file_with_mistakes_is_said(tmp_path):
    path = tmp_path / "market.yaml"
    path.write_text("version: 2")
    settings = load_settings(None, {"market.path": path})
    page = get(MarketReader(settings, None, ManualClock(NOW)).read)
    assert page.status_code == 503
    assert "must have `version: 1`" in page.text
