"""Parts of the page: what they say, and that nothing of a record gets out unescaped."""

from dataclasses import replace

import pytest
from html_reader import HtmlReader

from triage.console.data.snapshot import Counts, Snapshot
from triage.console.now import fragments
from triage.console.web.fragments import banner
from triage.elastic.search import Hit
from triage.translations import translations_for

NOW = 1_795_339_800_000
EN, ZH = translations_for("en"), translations_for("zh")
HOUR = 3_600_000


def test_markup_in_a_record_is_shown_not_run(snapshot, make_record):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    record = make_record(text=evil, brand=evil, region='"><b>', intent=evil)
    found = HtmlReader(fragments.records(replace(snapshot, latest=[Hit("1", record)]), EN))
    assert not {"script", "img", "b"} & set(found.tags)
    assert evil in found.text


def test_markup_in_an_alert_or_an_error_is_shown_not_run(snapshot, make_alert):
    alert = make_alert(title="<script>x</script>")
    shown_banner = banner("<script>y</script>", EN, known=True)
    shown = fragments.alerts(replace(snapshot, open_alerts=[alert]), EN) + shown_banner
    assert "script" not in HtmlReader(shown).tags


def test_tiles_show_the_figures(snapshot):
    text = HtmlReader(fragments.tiles(snapshot, EN)).text
    for part in ("Records100", "Last hour102 in the last minute", "Negative90%in the last hour · 40% overall",
                 "Dead letters3not processed", "Open alerts1needs attention"):  # fmt: skip
        assert part in text


def test_tiles_of_nothing_say_what_is_not_known():
    text = HtmlReader(fragments.tiles(Snapshot(at_ms=NOW), EN)).text
    assert "Negative–overall" in text
    assert "Dead letters–not known yet" in text
    assert "Open alerts0all quiet" in text


def test_negative_share_falls_back_to_all_time_in_a_quiet_hour(snapshot):
    assert "Negative40%overall" in HtmlReader(fragments.tiles(replace(snapshot, last_hour=Counts()), EN)).text


def test_alerts_say_since_when_how_many_and_against_what(snapshot):
    text = HtmlReader(fragments.alerts(snapshot, EN)).text
    assert "firingcriticalsince 07:30, for 2 h" in text
    assert "41 negative in 1 h at its peak, 1.5 expected · now 40 of 42" in text
    assert "resolvedcriticalsince 00:30, lasted 6 h 30 min" in text
    assert "Where is <my> parcel?" in text


@pytest.mark.parametrize(("fragment", "advice"), [
    (fragments.records, "triage ingest"),
    (fragments.alerts, "triage alerts test"),
])  # fmt: skip
def test_empty_states_say_what_to_do(fragment, advice):
    assert advice in HtmlReader(fragment(Snapshot(at_ms=NOW), EN)).text


def test_the_banner_shows_only_when_something_is_wrong(snapshot):
    assert banner(None, EN, known=True) == ""
    shown = HtmlReader(banner("elasticsearch: connection refused", EN, known=True)).text
    assert "connection refused" in shown
    assert "retries automatically" in shown


def test_before_the_first_reading_nothing_is_claimed():
    reading = Snapshot(at_ms=NOW, known=False)
    away = replace(reading, error="connection refused")
    assert "not read yet" in HtmlReader(fragments.tiles(reading, EN)).text
    for part in (fragments.records, fragments.alerts, fragments.nothing_to_chart):
        assert "Reading" in part(reading, EN)
        assert "Nothing read yet" in part(away, EN)
    assert "no numbers yet" in banner(away.error, EN, known=away.known)


def test_a_drawn_chart_has_nothing_in_its_place(snapshot):
    assert fragments.nothing_to_chart(snapshot, EN) == ""
    assert "Nothing to draw yet" in fragments.nothing_to_chart(Snapshot(at_ms=NOW), EN)


def test_every_part_speaks_chinese(snapshot):
    shown = "".join(part(snapshot, ZH) for part in (fragments.tiles, fragments.alerts, fragments.records))
    text = HtmlReader(shown).text
    for part in ("记录100", "需要处理", "自 07:30，已 2 小时", "物流配送", "负面"):
        assert part in text
    assert "negative" not in text
