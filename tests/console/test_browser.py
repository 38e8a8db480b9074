"""A browser clicks through every page of a console with two weeks of feedback; nothing may go wrong in its console."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import httpx
import msgspec
import pytest
from browser import CHROMIUM, Browser
from console_seed import RISING, seed_index
from indices import own_settings, remove
from records import enriched

from triage.alerting.app.actions import read_actions
from triage.alerting.links import Link, LinkSigner
from triage.clock import SystemClock
from triage.config import KafkaSettings
from triage.elastic import corrections as store
from triage.elastic.client import connect
from triage.elastic.plan import apply, plan_index
from triage.elastic.search import recent_alerts
from triage.schemas.enriched import Entity
from triage.topics import apply_topics

pytestmark = [pytest.mark.stack, pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")]
PREFIX = "tbrowserseeded"
LONG = "r-long"
LINK_KEY = "k" * 32


@pytest.fixture(scope="module")
def index(stack):
    settings = own_settings(stack.elasticsearch_url, PREFIX)
    client, clock = connect(settings), SystemClock()
    apply(client, plan_index(client, settings, clock))
    apply_topics(KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=PREFIX))
    seed_index(client, settings, clock.now_ms(), per_day=60)
    _seed_long_words(client, settings, clock.now_ms())
    _seed_brands(client, settings, clock.now_ms())
    yield client, settings
    client.close()
    remove(settings)


def _seed_long_words(client, settings, now_ms):
    """A record whose words and values have no blank."""
    address = f"https://shop.example/{'a' * 200}"
    found = enriched(
        f"{address} {'x' * 300} {'坏' * 200}", now_ms - 30_000, product="P" * 80, brand="牌" * 60, region="eu" * 40,
        source="s" * 90, attributes={"n" * 80: address}, flags=["low_confidence"],
        entities=[Entity(address, "url", 0, len(address), 0.9, "rule")],
    )  # fmt: skip
    index = f"{settings.index_prefix}-{found.timestamp[:4]}"
    client.index(index=index, id=LONG, document=msgspec.to_builtins(found), refresh=True)


def _seed_brands(client, settings, now_ms):
    for number in range(24):
        language = "zh" if number == 17 else "en"
        found = enriched(f"about {number}", now_ms - 40_000, brand=f"Trademark {number}", language=language)
        index = f"{settings.index_prefix}-{found.timestamp[:4]}"
        client.index(index=index, id=f"b{number}", document=msgspec.to_builtins(found))
    client.indices.refresh(index=index)


@pytest.fixture(scope="module")
def url(stack, index, tmp_path_factory):
    _, elasticsearch = index
    names = {
        "elasticsearch.index_prefix": PREFIX,
        "elasticsearch.alerts_index": elasticsearch.alerts_index,
        "kafka.topic_prefix": PREFIX,
        "worker.group": PREFIX,
        "console.port": 0,
        "alerting.link_keys": LINK_KEY,
        "logging.format": "json",
    }
    # NiceGUI behaves otherwise where it sees pytest.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    process = subprocess.Popen(
        [
            sys.executable, "-m", "triage", "console", "--elasticsearch", elasticsearch.url,
            "--bootstrap-servers", stack.bootstrap_servers,
            *(part for name, value in names.items() for part in ("--set", f"{name}={value}")),
        ],
        cwd=tmp_path_factory.mktemp("console"), stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        line = next(line for line in process.stderr if '"console_started"' in line)
        yield json.loads(line)["url"]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"), "--accept-lang=en")
    yield browser
    browser.close()


@pytest.fixture
def browser(running):
    running.errors.clear()
    yield running
    assert running.errors == []


def test_an_analyst_finds_what_rose_and_why_with_four_clicks(browser, url):
    browser.open(url)
    browser.wait_for_text("What moved")
    browser.click(".changes a", f"{RISING} · delivery")
    browser.wait_for_text("Names and places that stand out")
    assert "Leeds" in browser.text()
    assert "product=Nova" in browser.evaluate("location.search")
    browser.click("#compare a", "Leeds")
    browser.wait_for("location.search.includes('entity=Leeds') && document.querySelector('#records table')")
    rows = browser.evaluate("[...document.querySelectorAll('#records .what p')].map(one => one.innerText)")
    assert rows
    assert all("Leeds" in row for row in rows)
    browser.click("#records .at a")
    browser.wait_for_text("Similar records")


def test_an_address_that_leads_nowhere_leads_back(url):
    answer = httpx.get(f"{url}/no/such", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert 'href="../explore"' in answer.text


def test_a_search_stays_in_the_address_and_can_be_taken_back(browser, url):
    browser.open(f"{url}/explore")
    browser.wait_for("document.querySelector('.facets a')")
    browser.evaluate("document.querySelector('input[name=q]').value = 'flooded'")
    browser.click("form.search button")
    browser.wait_for("location.search.includes('q=flooded') && document.querySelector('.facets a')")
    browser.click(".facets a", "social")
    browser.wait_for("document.querySelector('.chips a')")
    assert "channel=social" in browser.evaluate("location.search")
    browser.click(".chips a", "social")
    browser.wait_for("document.querySelector('a[href*=csv]') && !document.querySelector('.chips')")
    assert "q=flooded" in browser.evaluate("location.search")
    export = browser.evaluate("document.querySelector('a[href*=csv]').href")
    assert browser.evaluate(f"fetch({json.dumps(export)}).then(answer => answer.text())").count("\n") > 10


def test_one_rare_brand_in_chinese_about_delivery_with_high_severity_takes_four_clicks(browser, url):
    browser.open(f"{url}/explore")
    browser.click(".facets .more", "Brand")
    browser.wait_for("document.querySelectorAll('.facets .found li').length > 20")
    browser.wait_for("document.activeElement.tagName === 'INPUT'")
    for key in "mark 17":
        browser.press(key)
    browser.press("Enter")
    for label, part in (
        ("Chinese", "brand=Trademark+17"),
        ("delivery", "language=zh"),
        ("high", "intent=delivery"),
        ("", "severity=high"),
    ):
        browser.wait_for(f"location.search.includes('{part}') && document.querySelector('.facets a')")
        if label:
            browser.click(".facets li > a:first-of-type", label)
    assert browser.evaluate("document.querySelectorAll('#records tbody tr').length") == 1
    assert browser.evaluate("document.querySelectorAll('.chips li').length") == 5


def test_several_values_are_ticked_and_another_is_excluded(browser, url):
    browser.open(f"{url}/explore?channel=complaint")
    browser.click(".facets .more", "Brand")
    for number in (3, 17):
        box = f"document.querySelector('.found input[value=\"Trademark {number}\"]')"
        browser.wait_for(box)
        browser.evaluate(f"{box}.click()")
    browser.click(".facets .button", "Show with 2 values")
    browser.wait_for("document.querySelectorAll('.chips li').length === 4")
    rows = "[...document.querySelectorAll('#records .what p')].map(row => row.innerText).sort().join()"
    assert browser.evaluate(rows) == "about 17,about 3"
    browser.evaluate("document.querySelector('.facets .not[aria-label=\"Exclude Trademark 3\"]').click()")
    browser.wait_for("location.search.includes('not_brand=Trademark+3') && document.querySelector('.chips .out')")
    assert browser.evaluate(rows) == "about 17"


def test_search_and_records_are_reached_by_keys(browser, url):
    browser.open(f"{url}/explore?channel=social")
    browser.wait_for("document.querySelector('#records .at a')")
    for _ in range(5):
        browser.press("Tab")
        if browser.evaluate("document.activeElement.id") == "find":
            break
    assert browser.evaluate("document.activeElement.id") == "find"
    browser.evaluate("document.activeElement.blur()")
    for key in "jjk":
        browser.press(key)
    assert browser.evaluate("document.activeElement === document.querySelector('#records .at a')")
    browser.press("?")
    browser.wait_for("document.querySelector('dialog[open]').innerText.includes('next record')")
    browser.press("Escape")
    browser.wait_for("!document.querySelector('dialog[open]')")
    browser.press("/")
    for key in "/j?":
        browser.press(key)
    assert browser.evaluate("document.activeElement.id + document.activeElement.value") == "find/j?"
    browser.press("Enter")
    browser.wait_for("location.search.includes('q=%2Fj%3F') && location.search.includes('channel=social')")


def test_a_drag_on_a_chart_zooms_and_a_click_on_a_band_opens_its_alert(browser, url):
    browser.open(f"{url}/?channel=social")
    browser.wait_for("document.querySelector('#over-time svg path[fill*=pattern], #over-time svg pattern')")
    browser.wait_for_text("No worker is in the group: nothing is processed.")
    zooms = "getElement(+document.querySelector('#over-time .chart').id.slice(1)).chart.canZoom"
    browser.wait_for(zooms)
    browser.drag("#over-time .chart", 0.4, 0.6)
    browser.wait_for("location.search.includes('from=') && document.querySelector('#records')")
    assert "channel=social" in browser.evaluate("location.search")
    length = browser.evaluate("new Date(new URLSearchParams(location.search).get('to') + 'Z') - "
                              "new Date(new URLSearchParams(location.search).get('from') + 'Z')")  # fmt: skip
    assert 10 * 3_600_000 < length < 20 * 3_600_000
    browser.open(url)
    browser.wait_for(zooms)
    browser.drag("#over-time .chart", 0.935, 0.935, 0.8)
    browser.wait_for("location.pathname.startsWith('/alerts/delivery-seeded')")
    browser.open(f"{url}/alerts")
    browser.wait_for("getElement(+document.querySelector('#timeline .chart').id.slice(1)).chart.opens")
    browser.drag("#timeline .chart", 0.6, 0.6, 0.36)
    browser.wait_for("location.pathname.startsWith('/alerts/delivery-seeded')")


def test_a_record_is_explained_and_its_label_corrected(browser, url, index):
    browser.open(f"{url}/records/r1000000")
    browser.click("#decision button", "Which words decided?")
    browser.wait_for("document.querySelector('#decision mark') || document.querySelector('#decision .remark')")
    browser.click("#correct .q-radio", "neutral")
    browser.click("#correct button", "Save")
    browser.wait_for("document.querySelector('#correct p.corrected')")
    kept = store.corrections_of(*index, ["r1000000"])["r1000000"]
    assert (kept.sentiment, kept.intent, kept.changed, kept.actor) == ("neutral", "delivery", True, "anonymous")
    browser.click("#correct button", "Withdraw")
    browser.wait_for("!document.querySelector('#correct p.corrected')")
    assert store.corrections_of(*index, ["r1000000"]) == {}


def test_on_call_goes_from_the_list_to_the_page_to_its_examples(browser, url):
    browser.open(f"{url}/alerts")
    browser.wait_for("document.querySelector('#timeline svg path')")
    browser.click(".alert h3 a", RISING)
    browser.wait_for_text("The notification as sent")
    browser.click(".links a", "All records")
    browser.wait_for("document.querySelector('#records table')")
    assert "negative" in browser.evaluate("document.querySelector('.chips').innerText")


def test_an_alert_is_acknowledged_from_a_telephone_by_the_link_of_a_message(browser, url, index, stack):
    client, settings = index
    (alert,) = recent_alerts(client, settings, 1)
    ends_s = SystemClock().now_ms() // 1000 + 600
    token = LinkSigner([LINK_KEY]).token(Link("link-1", alert.dedup_key, "acknowledge", "slack", "operator", ends_s))
    kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=PREFIX)
    browser.resize(390, 844)
    try:
        browser.open(f"{url}/act/{token}")
        browser.wait_for_text("Acknowledge this alert?")
        assert read_actions(kafka).used("link-1") is None, "the page only asks"
        browser.click("button", "Acknowledge")
        browser.wait_for_text("The alert is acknowledged")
    finally:
        browser.resize(1280, 1250)
    action = read_actions(kafka).used("link-1")
    assert (action.dedup_key, action.actor) == (alert.dedup_key, "slack")
    again = httpx.get(f"{url}/act/{token}")
    assert (again.status_code, "This link was used by slack" in again.text) == (409, True)


def test_an_alerts_page_has_its_history_and_what_can_be_done(browser, url, index):
    client, settings = index
    (alert,) = recent_alerts(client, settings, 1)
    browser.open(f"{url}/alerts/{alert.dedup_key}")
    browser.wait_for_text("It began")
    for label in ("Acknowledge …", "Snooze …", "Silence …", "Assign …", "Comment …", "End by hand …"):
        assert label in browser.text()
    browser.click("summary", "Comment …")
    browser.evaluate("document.querySelector('form[action$=comment] [name=comment]').value = 'the depot is flooded'")
    browser.evaluate("document.querySelector('form[action$=comment] [name=by]').value = 'Kim'")
    browser.click("form[action$=comment] button")
    browser.wait_for_text("Stored. This page shows it within seconds.")


def test_the_queue_is_worked_off_by_keys_alone(browser, url, index):
    browser.open(f"{url}/review?range=30d")
    waiting = "+document.querySelector('#queue .caption').innerText.match(/[0-9]+/)[0]"
    browser.wait_for("document.querySelector('#queue .whole-text')")
    before = browser.evaluate(waiting)
    first = browser.evaluate("document.querySelector('#queue a[href*=records]').href")
    browser.press("2")
    browser.press("u")
    browser.wait_for("document.querySelectorAll('#queue .q-radio')[1].getAttribute('aria-checked') === 'true'")
    browser.press("Enter")
    browser.wait_for(f"{waiting} === {before - 1}")
    (kept,) = store.corrections(*index)
    assert first.endswith(kept.record)
    assert kept.sentiment == "neutral"
    assert kept.intent != kept.judged.intent
    browser.press("s")
    browser.wait_for(f"document.querySelector('#queue a[href*=records]').href !== {json.dumps(first)}")


def test_the_fleet_says_that_nobody_works(browser, url):
    browser.open(f"{url}/fleet")
    browser.wait_for_text("No worker is in the group: nothing is processed.")
    assert f"{PREFIX}.complaints/0" in browser.text()
    assert "every record was processed" in browser.text()


def test_times_are_those_of_the_browsers_clock_until_another_is_chosen(browser, url):
    browser.live_in("Asia/Shanghai")
    try:
        # Told at the first page, which is loaded again by itself.
        browser.open(url)
        browser.wait_for_text("Asia/Shanghai (UTC+8)")
        browser.wait_for("document.querySelector('#records .at .utc')")
        for path in ("explore", "alerts", "records/r1000000"):
            browser.open(f"{url}/{path}")
            browser.wait_for("document.querySelector('.beside')")
            assert "Shanghai" in browser.text(), path
        browser.open(f"{url}/alerts")
        browser.click(".alert h3 a", RISING)
        browser.wait_for_text("The notification as sent")
        assert re.search(r"UTC\+8 \((\d{4}-\d\d-\d\d )?\d\d:\d\d UTC\)", browser.text())
        browser.click(".beside a", "Shanghai")
        browser.wait_for("document.querySelector('select[name=zone]')")
        browser.evaluate("document.querySelector('select[name=zone]').value = 'America/St_Johns'")
        browser.click("form.search button")
        browser.wait_for_text("The notification as sent")
        assert re.search("UTC-[23]:30", browser.text())
    finally:
        browser.live_in("")
        browser.open(f"{url}/time-zone/choose?zone=UTC&next=fleet")


AXE = find_spec("axe_core_python")


@pytest.mark.skipif(AXE is None, reason="needs axe-core-python")
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_serious_on_any_page(browser, url, index, scheme):
    script = Path(AXE.origin).with_name("axe.min.js").read_text("utf-8")
    (alert,) = recent_alerts(*index, 1)
    pages = (
        "", "explore?channel=social&not_region=cn&q=%22flooded&compare=1", "alerts", f"alerts/{alert.dedup_key}",
        "rules", "review?range=30d", "fleet", "records/r1000000", "time-zone",
    )  # fmt: skip
    browser.prefer(scheme)
    try:
        for path in pages:
            browser.open(f"{url}/{path}")
            browser.wait_for("document.querySelector('main section')")
            # What a drawing shows is said in words beside it.
            browser.evaluate(f"{script}; undefined")
            found = browser.evaluate(
                "axe.run({exclude: [['.chart']]}, {resultTypes: ['violations']}).then(({violations}) => violations"
                ".filter(one => ['serious', 'critical'].includes(one.impact))"
                ".map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"
            )
            assert found == [], path
    finally:
        browser.prefer("light")


def test_a_view_is_saved_by_name_and_its_chart_is_a_picture(browser, url):
    browser.open(f"{url}/explore?intent=delivery&range=30d")
    browser.click(".views summary")
    browser.evaluate("document.querySelector('.views input').value = 'Deliveries <b>'")
    browser.click(".views form button")
    browser.wait_for("document.querySelector('.views li a')")
    browser.open(f"{url}/explore")
    browser.click(".views summary")
    browser.click(".views li a", "Deliveries <b>")
    browser.wait_for("location.search === '?intent=delivery&range=30d' && document.querySelector('.views')")
    browser.wait_for("document.querySelector('#over-time svg path')")
    browser.evaluate(
        "HTMLAnchorElement.prototype.click = function () { window.saved = [this.download, this.href.slice(0, 22)] };"
        "document.querySelector('[data-picture]').click()"
    )
    browser.wait_for("window.saved")
    assert browser.evaluate("window.saved") == ["feedback.png", "data:image/png;base64,"]
    title, subtitle = browser.evaluate(
        "(one => [one.picture, one.subtitle])(document.querySelector('[data-picture]').dataset)"
    )
    assert re.fullmatch(r"[0-9,]+ records", title)
    assert subtitle.startswith("Last 30 days")
    assert subtitle.endswith("Intent: delivery")
    browser.click(".views summary")
    browser.click(".views .not")
    browser.wait_for("!document.querySelector('.views li')")


def test_pages_are_no_wider_than_a_telephone(browser, url):
    browser.resize(360, 740)
    try:
        for path in ("", "explore?compare=1", "alerts", "review?range=30d", "fleet", f"records/{LONG}", "time-zone"):
            browser.open(f"{url}/{path}")
            browser.wait_for("document.querySelector('main section')")
            assert browser.evaluate("document.documentElement.scrollWidth") == 360, path
        browser.open(f"{url}/explore")
        browser.wait_for("document.querySelector('#records')")
        browser.click("button[data-toggles=facets]")
        tops = "['#facets', '#records'].map(one => document.querySelector(one).getBoundingClientRect().top)"
        facets_top, records_top = browser.evaluate(tops)
        assert 0 < facets_top < records_top, "filters are before the records"
        assert browser.evaluate("document.documentElement.scrollWidth") == 360
        assert browser.evaluate("document.querySelectorAll('.tabs li').length") == 8
        tops = browser.evaluate("[...document.querySelectorAll('.tabs a')].map(one => one.getBoundingClientRect().top)")
        assert len(set(tops)) == 1, "the tabs are in one row"
    finally:
        browser.resize(1280, 1250)


def test_every_page_has_landmarks_one_heading_and_labels_and_speaks_chinese(browser, url):
    browser.open(url)
    browser.click(".language")
    browser.wait_for("document.documentElement.lang === 'zh-CN'")
    for path in ("", "explore?compare=1", "alerts", "review", "conversations", "fleet", "records/r1000000"):
        browser.open(f"{url}/{path}")
        browser.wait_for("document.querySelector('main section h2')")
        assert browser.evaluate("document.documentElement.lang") == "zh-CN"
        for landmark in ("header nav", "main", "main h1"):
            assert browser.evaluate(f"document.querySelectorAll({landmark!r}).length") == 1, (path, landmark)
        unnamed = browser.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, button, [role=img], [role=radio]')]"
            ".filter(one => one.offsetParent !== null)"
            ".filter(one => !(one.labels && one.labels.length) && !one.getAttribute('aria-label'))"
            ".filter(one => !one.textContent.trim())"
            ".map(one => one.outerHTML.slice(0, 200))"
        )
        assert unnamed == [], path
        text = re.sub(r"<[^>]*>", "", browser.text())
        assert re.search("[\u4e00-\u9fff]", text)
    browser.click(".language")
    browser.wait_for("document.documentElement.lang === 'en-US'")
