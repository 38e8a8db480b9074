"""Chart options and what they say to a screen reader."""

import json
import re
from dataclasses import replace
from pathlib import Path

from html_reader import HtmlReader

from triage.console.data.snapshot import Counts, IntentCount, Snapshot, TimeSlot
from triage.console.web import charts
from triage.translations import translations_for

NOW = 1_795_339_800_000
HOUR = 3_600_000
EN = translations_for("en")


def _over_time(snapshot):
    return charts.sentiment_over_time(snapshot.timeline, snapshot.step_ms, snapshot.at_ms, snapshot.alerts, EN)


def _series(options):
    return {series["name"]: series["data"] for series in options["series"]}


def test_one_stacked_series_a_sentiment(snapshot):
    options = _over_time(snapshot)
    # In the middle of their hours.
    first, second = NOW - 3 * HOUR + HOUR // 2, NOW - 2 * HOUR + HOUR // 2
    assert _series(options) == {
        "negative": [[first, 1], [second, 9]],
        "neutral": [[first, 2], [second, 0]],
        "positive": [[first, 3], [second, 1]],
    }
    assert {series["stack"] for series in options["series"]} == {"records"}


def test_an_open_alert_is_marked_up_to_now_and_a_resolved_one_within_the_chart(snapshot):
    bands = _over_time(snapshot)["series"][0]["markArea"]["data"]
    ends = [(start["xAxis"], end["xAxis"]) for start, end in bands]
    assert sorted(ends) == [(NOW - 3 * HOUR, NOW - 2 * HOUR - 1_800_000), (NOW - 2 * HOUR, NOW)]


def test_an_alert_that_ended_before_the_chart_begins_is_left_out(snapshot, make_alert):
    old = make_alert("resolved", NOW - 40 * HOUR, NOW - 30 * HOUR)
    options = _over_time(replace(snapshot, open_alerts=[], resolved_alerts=[old]))
    assert options["series"][0]["markArea"]["data"] == []


def test_an_alert_that_began_after_the_chart_ends_is_left_out(make_alert):
    slots = [TimeSlot(NOW - 30 * HOUR, Counts(1))]
    options = charts.sentiment_over_time(slots, HOUR, NOW, [make_alert()], EN)
    assert options["series"][0]["markArea"]["data"] == []


def test_empty_charts_keep_their_series_so_that_later_data_merges_in():
    empty = Snapshot(at_ms=NOW)
    assert _series(_over_time(empty)) == {"negative": [], "neutral": [], "positive": []}
    assert _series(charts.top_intents([], EN)) == {"negative": [], "neutral": [], "positive": []}


def test_intents_come_by_their_negative_records(snapshot):
    options = charts.top_intents(snapshot.intents, EN)
    assert options["yAxis"]["data"] == ["delivery", "product fault", "praise"]
    assert _series(options)["negative"] == [12, 9, 0]


def test_only_the_top_intents_are_drawn():
    many = [IntentCount(f"intent_{number}", Counts(negative=number)) for number in range(20)]
    assert len(charts.top_intents(many, EN)["yAxis"]["data"]) == charts.MAX_INTENTS


def test_options_are_plain_json_and_every_colour_is_defined_for_light_and_dark(snapshot):
    options = json.dumps([_over_time(snapshot), charts.top_intents(snapshot.intents, EN)])
    light, dark = (Path(charts.__file__).with_name("console.css")).read_text("utf-8").split("@media", 2)[:2]
    used = set(re.findall(r"var\((--[\w-]+)\)", options))
    assert used
    for name in used:
        assert f"{name}:" in light, name
        assert f"{name}:" in dark, name


def test_a_band_is_named_by_what_the_alert_is_about(snapshot, make_alert):
    alert = make_alert(dimensions={"brand": "Acme", "intent": "delivery"})
    chinese = charts.sentiment_over_time(snapshot.timeline, HOUR, NOW, [alert], translations_for("zh"))
    ((start, _),) = chinese["series"][0]["markArea"]["data"]
    assert start["name"] == "Acme · 物流配送"
    everything = charts.sentiment_over_time(snapshot.timeline, HOUR, NOW, [make_alert(dimensions={})], EN)
    ((start, _),) = everything["series"][0]["markArea"]["data"]
    assert start["name"] == "spike"


def test_the_running_step_is_hatched_and_the_time_that_is_not_processed_grey(make_alert):
    slots = [TimeSlot(NOW - HOUR, Counts(3)), TimeSlot(NOW, Counts(200))]
    unread = NOW + 600_000
    options = charts.sentiment_over_time(slots, HOUR, NOW + 900_000, [make_alert()], EN, unread)
    whole, running = options["series"][0]["data"]
    assert whole == [NOW - HOUR // 2, 3]
    assert running["value"] == [NOW + HOUR // 2, 200]
    assert "decal" in running["itemStyle"]
    grey, band = options["series"][0]["markArea"]["data"]
    assert (grey[0]["name"], grey[0]["xAxis"], grey[1]["xAxis"]) == ("not processed yet", unread, NOW + HOUR)
    assert "key" not in grey[0]
    assert band[0]["key"] == make_alert().dedup_key
    assert (options["xAxis"]["min"], options["xAxis"]["max"]) == (NOW - HOUR, NOW + HOUR)
    assert f"value - {HOUR // 2}" in options["xAxis"]["axisPointer"]["label"][":formatter"]
    assert "so far" in charts.timeline_table(slots, HOUR, NOW + 900_000, EN)
    # An hour that has ended is whole.
    later = charts.sentiment_over_time(slots, HOUR, NOW + HOUR, [], EN)
    assert all(isinstance(bar, list) for bar in later["series"][0]["data"])


def test_words_and_tables_for_screen_readers(snapshot):
    assert charts.timeline_description(snapshot.timeline, HOUR, 2, EN) == (
        "Sentiment over time: 2 steps of 1 h; at most 9 negative records in one step, at 2026-11-22 07:30 UTC; "
        "2 alerts marked"
    )
    assert charts.intents_description(snapshot.intents, EN).endswith("delivery 12, product fault 9, praise 0")
    assert charts.timeline_description([], HOUR, 0, EN).endswith("no records yet")
    assert charts.intents_description([], EN).endswith("no records yet")
    table = charts.timeline_table([*snapshot.timeline, TimeSlot(NOW, Counts())], HOUR, NOW, EN)
    assert table.count("<tr>") == 3
    assert (
        '<th scope="row"><time datetime="2026-11-22T07:30:00.000Z">07:30</time></th><td>9</td><td>0</td><td>1</td>'
        in table
    )


def test_times_are_the_readers_with_utc_beside_them(snapshot):
    shanghai = translations_for("en", "Asia/Shanghai")
    assert "at 2026-11-22 15:30 UTC+8 (07:30 UTC);" in charts.timeline_description(snapshot.timeline, HOUR, 2, shanghai)
    table = HtmlReader(charts.timeline_table(snapshot.timeline, HOUR, NOW, shanghai)).text
    assert "15:30 07:30 UTC901" in table
