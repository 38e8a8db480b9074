"""The sample feed: its contents and its schedule."""

import bz2
import collections
import json
import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.rules.loader import load_alert_rules
from triage.assist.market.names import read_market
from triage.clock import HOUR_MS, from_ms, to_ms
from triage.config import AlertingSettings
from triage.errors import ConfigError, InvalidRecord
from triage.local.feed import Feed, load_feed
from triage.paths import resource
from triage.schemas.raw import parse_raw
from triage.types import Channel

ORIGIN = datetime(2026, 11, 19, tzinfo=UTC)


@pytest.fixture(scope="module")
def feed():
    return load_feed()


def _accepted(feed):
    for line in feed.lines:
        try:
            yield line, parse_raw(line.payload(0))
        except InvalidRecord:
            continue


def test_is_large_bilingual_and_on_every_channel(feed):
    texts = [(line.channel, record.text) for line, record in _accepted(feed)]
    chinese = sum(any("\u4e00" <= character <= "\u9fff" for character in text) for _, text in texts)
    assert len(texts) >= 5_000
    assert 0.38 <= chinese / len(texts) <= 0.6
    assert min(collections.Counter(channel for channel, _ in texts).values()) > 1_000
    assert len({text for _, text in texts}) == len(texts)


def test_ids_are_unique_and_records_carry_no_labels(feed):
    records = [record for _, record in _accepted(feed)]
    assert len({record.id for record in records}) == len(records)
    labels = {"intent", "sentiment", "label", "language", "severity"}
    assert not labels & {key for line in feed.lines if line.fields for key in line.fields}


def test_broken_lines_are_refused_for_many_different_reasons(feed):
    reasons = collections.Counter()
    for line in feed.lines:
        try:
            parse_raw(line.payload(to_ms(ORIGIN)))
        except InvalidRecord as refused:
            reasons[refused.reason] += 1
    assert set(reasons) == {
        "empty_text", "missing_text", "text_not_string", "not_json", "not_an_object", "not_utf8", "bad_created_at",
        "bad_rating", "bad_author_id",
    }  # fmt: skip
    assert sum(reasons.values()) == 13


def test_one_line_comes_from_the_far_future(feed):
    [line] = [line for line in feed.lines if line.fields and line.fields.get("created_at", "").startswith("2199")]
    assert parse_raw(line.payload(to_ms(ORIGIN))).created_at == "2199-12-31T23:59:59Z"


def test_schedule_sends_every_line_once_in_time_order(feed):
    items = list(feed.schedule(ORIGIN))
    assert len(items) == len(feed.lines)
    assert [item.at_ms for item in items] == sorted(item.at_ms for item in items)
    assert 0 <= items[0].at_ms < items[-1].at_ms < 3 * 24 * HOUR_MS


def test_created_at_is_the_simulated_time(feed):
    item = next(item for item in feed.schedule(ORIGIN) if b'"id":"own-' in item.payload)
    assert datetime.fromisoformat(json.loads(item.payload)["created_at"]) == from_ms(to_ms(ORIGIN) + item.at_ms)


def test_the_seed_determines_the_schedule(feed):
    first, again, other = (list(feed.schedule(ORIGIN, days=1, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_traffic_follows_the_hours_of_the_time_zone_of_the_origin(feed):
    shanghai = timezone(timedelta(hours=8))
    origin = datetime(2026, 11, 19, 15, 20, tzinfo=shanghai)
    items = [item for item in feed.schedule(origin) if b'"id":"surge-' not in item.payload]
    hours = collections.Counter((origin + timedelta(milliseconds=item.at_ms)).hour for item in items)
    assert hours[20] > 5 * hours[3]
    assert hours[10] > 5 * hours[4]


def test_the_surge_is_in_its_hours_and_ends_long_before_the_end(feed):
    start, end = feed.surge(3)
    times = [item.at_ms for item in feed.schedule(ORIGIN) if b'"id":"surge-' in item.payload]
    assert len(times) > 100
    assert start <= min(times) < max(times) < end
    assert (start, end) == (60 * HOUR_MS, 63 * HOUR_MS)


@settings(max_examples=25, deadline=None)
@given(days=st.floats(0.05, 10), hour=st.integers(0, 23), seed=st.integers(0, 100))
def test_the_schedule_stays_within_the_days_for_any_length_and_start(feed, days, hour, seed):
    few = Feed(feed.lines[::200])
    items = list(few.schedule(ORIGIN.replace(hour=hour, minute=37), days, seed))
    assert len(items) == len(few.lines)
    assert all(0 <= item.at_ms < days * 24 * HOUR_MS for item in items)


@pytest.mark.parametrize("days", [0, -1, 1000])
def test_days_out_of_range_are_refused(feed, days):
    with pytest.raises(ConfigError, match="days is"):
        next(feed.schedule(ORIGIN, days))


def test_an_origin_without_a_zone_is_refused(feed):
    with pytest.raises(ConfigError, match="time zone"):
        next(feed.schedule(datetime(2026, 11, 19)))  # noqa: DTZ001


def test_a_file_that_is_not_packed_is_named(tmp_path: Path):
    path = tmp_path / "feed.jsonl.bz2"
    path.write_text('{"text": "plain"}')
    with pytest.raises(ConfigError, match=r"feed\.jsonl\.bz2: not readable: damaged"):
        load_feed(path)


def test_channel_is_taken_off_the_payload_and_defaults_to_complaint(tmp_path: Path):
    path = tmp_path / "feed.jsonl.bz2"
    with bz2.open(path, "wb") as out:
        out.write(b'{"channel":"social","text":"late again"}\n{"text":"no channel"}\n\xff\xfe\n')
    social, plain, bytes_ = load_feed(path).lines
    assert (social.channel, json.loads(social.payload(0))) == (
        Channel.SOCIAL,
        {"created_at": "1970-01-01T00:00:00.000Z", "text": "late again"},
    )
    assert plain.channel is Channel.COMPLAINT
    assert (bytes_.channel, bytes_.payload(0)) == (Channel.COMPLAINT, b"\xff\xfe")


_DELIVERY = re.compile(r"deliver|shipp|courier|parcel|package|快递|物流|送货|发货|配送|包裹|到货", re.IGNORECASE)


@pytest.mark.parametrize("seed", [1, 7])
def test_the_threshold_of_the_alert_rule_is_well_between_baseline_and_surge(feed, seed):
    """Even if every record that names a delivery were negative, only the surge would reach the count."""
    rules = load_alert_rules(AlertingSettings(rules=resource("topics/feed/alert-rules.yaml")))
    [rule] = [rule for rule in rules.rules if rule.matches({"intent": "delivery"})]
    baseline, surge = [], []
    for item in feed.schedule(ORIGIN, seed=seed):
        if b'"id":"surge-' in item.payload:
            surge.append(item.at_ms)
        elif _DELIVERY.search(item.payload.decode("utf-8", "replace")):
            baseline.append(item.at_ms)
    busiest = _busiest(baseline, rule.window_s), _busiest(surge, rule.window_s)
    assert busiest[0] * 1.5 < rule.static.count_at_least < busiest[1] / 2


def _busiest(times, window_s):
    """Most of the sorted `times` in any window that begins on a step of five minutes."""
    starts = range(0, 72 * HOUR_MS, 300_000)
    return max(bisect_left(times, start + window_s * 1000) - bisect_left(times, start) for start in starts)


def test_brands_and_products_of_the_feed_are_in_the_market_of_the_demo():
    market = read_market(resource("topics/feed/market.yaml"))
    fields = [line.fields for line in load_feed().lines if line.fields]
    brands = {str(found["brand"]) for found in fields if found.get("brand")}
    assert {brand for brand in brands if market.brand_of(brand) is None} == set()
    sent = {str(found["product"]) for found in fields if found.get("product")}
    assert {each.name for each in market.products} <= sent
