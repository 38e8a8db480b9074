"""Arabic and Hebrew read from the right, wherever a customer's words stand, and turn nothing around them."""

import json

import pytest
from browser import CHROMIUM, Browser
from cases import load
from console_parts import ConsoleParts
from html_reader import HtmlReader

from triage.console.web.templates import stylesheet

CASES = load("rtl")
ARABIC = "شاشة Samsung Galaxy S24 مكسورة"


@pytest.mark.parametrize("text", [case.given["text"] for case in CASES], ids=range(len(CASES)))
def test_each_text_has_a_direction_of_its_own_in_every_part_of_every_page(make_alert, clock, text):
    for name, html in ConsoleParts(make_alert, clock, text, "ours").html().items():
        for shown, direction in HtmlReader(html).directions:
            # Commands and conditions are written from the left, whatever values they name.
            assert text[:60] not in shown or direction, (name, shown)


def test_the_parts_that_show_a_text_are_these(make_alert, clock):
    parts = ConsoleParts(make_alert, clock, ARABIC, "ours").html()
    shows = {name for name, html in parts.items() if ARABIC in HtmlReader(html).text}
    assert shows == {
        "now: alerts", "now: records", "movers", "comparison", "chips", "facets", "records", "alert",
        "alert as it was sent", "silence", "text", "word weights", "rules", "facts", "links", "correction", "review",
        "latest", "dead letters", "e-mail", "conversations", "thread", "suggestions", "cases", "handbook", "passage",
        "articles", "asked and not found", "passages of an intent", "market",
        "topic rule", "guide", "own labels",
    }  # fmt: skip


_DIRECTIONS = """
[...document.querySelectorAll('[dir=auto], bdi')].filter(one => one.textContent.trim().startsWith(TEXT))
    .map(one => getComputedStyle(one).direction)
"""
# How far from its line's start a count stands that follows a value: a turned line has it before the value.
_COUNT_AFTER_VALUE = """
[...document.querySelectorAll('.facets a:has(bdi)')].map(one =>
    one.querySelector('bdi').getBoundingClientRect().right <= one.querySelector('b').getBoundingClientRect().left + 1)
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_a_browser_turns_what_reads_from_the_right_and_nothing_else(make_alert, clock, tmp_path):
    browser = Browser(tmp_path / "profile")
    try:
        for number, case in enumerate(CASES):
            text, want = case.given["text"], case.want
            brand = case.given.get("brand")
            html = ConsoleParts(make_alert, clock, brand or text, "ours").html()
            cards = [
                f"<div class='card {'facets shown' if name == 'facets' else ''}'>{html[name]}</div>"
                for name in ("facets", "chips", "records", "text", "facts", "silence")
            ]
            page = tmp_path / f"{number}.html"
            page.write_text(
                f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
                f"<style>{stylesheet()}</style><main class='page'>{''.join(cards)}</main>",
                "utf-8",
            )
            browser.resize(390, 800)
            browser.open(page.as_uri())
            directions = browser.evaluate(_DIRECTIONS.replace("TEXT", json.dumps((brand or text)[:40])))
            assert directions
            if "dir" in want:
                assert set(directions) == {want["dir"]}, case.name
            assert all(browser.evaluate(_COUNT_AFTER_VALUE)), case.name
            wide = browser.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, (case.name, wide)
    finally:
        browser.close()
