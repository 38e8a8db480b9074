"""Parts of the page: what they say, and that nothing of a record gets out unescaped."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.console.data.snapshot import Counts, Snapshot
from triage.console.translations import words
from triage.console.web import fragments
from triage.console.web.highlighting import highlighted, weighed
from triage.elastic.search import Hit
from triage.schemas.enriched import Entity
from triage.schemas.explanation import Word

NOW = 1_795_339_800_000
EN, ZH = words("en"), words("zh")
HOUR = 3_600_000


class _Reader(HTMLParser):
    """Text, tags and marked parts of some HTML, as a browser would see them."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.marked, self._in_mark = "", [], [], False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in_mark = tag == "mark"
        if self._in_mark:
            self.marked.append("")

    def handle_endtag(self, tag):
        self._in_mark = False

    def handle_data(self, data):
        self.text += data
        if self._in_mark:
            self.marked[-1] += data


def _entity(start, end, label="location", source="model"):
    return Entity("", label, start, end, 0.9, source)


def test_entities_are_marked_by_code_points():
    text = "😡 武汉仓 & me@example.com"
    found = _Reader(highlighted(text, [_entity(2, 4), _entity(8, 22, "email", "rule")], EN))
    assert found.text == text
    assert found.marked == ["武汉", "me@example.com"]


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_any_text_and_any_offsets_show_the_text_and_no_tags_but_marks(text, spans):
    entities = [_entity(start, min(end, len(text))) for start, end in spans if start < min(end, len(text))]
    html = highlighted(text, entities, EN)
    found = _Reader(html)
    assert found.text == text
    assert set(found.tags) <= {"mark"}


def test_markup_in_a_record_is_shown_not_run(snapshot, make_record):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    record = make_record(text=evil, brand=evil, region='"><b>', intent=evil)
    found = _Reader(fragments.records(replace(snapshot, latest=[Hit("1", record)]), EN))
    assert not {"script", "img", "b"} & set(found.tags)
    assert evil in found.text


def test_markup_in_an_alert_or_an_error_is_shown_not_run(snapshot, make_alert):
    alert = make_alert(title="<script>x</script>")
    banner = fragments.banner("<script>y</script>", EN, known=True)
    shown = fragments.alerts(replace(snapshot, open_alerts=[alert]), EN) + banner
    assert "script" not in _Reader(shown).tags


def test_a_long_text_is_cut_and_entities_beyond_the_cut_left_out():
    found = _Reader(highlighted("x" * 1000, [_entity(0, 3), _entity(390, 410), _entity(900, 910)], EN))
    assert len(found.text) == 400
    assert found.text.endswith("…")
    assert found.marked == ["xxx"]


def test_tiles_show_the_figures(snapshot):
    text = _Reader(fragments.tiles(snapshot, EN)).text
    for part in ("Records100", "Last hour102 in the last minute", "Negative90%in the last hour · 40% overall",
                 "Dead letters3refused for good", "Open alerts1needs attention"):  # fmt: skip
        assert part in text


def test_tiles_of_nothing_say_what_is_not_known():
    text = _Reader(fragments.tiles(Snapshot(at_ms=NOW), EN)).text
    assert "Negative–overall" in text
    assert "Dead letters–not known yet" in text
    assert "Open alerts0all quiet" in text


def test_negative_share_falls_back_to_all_time_in_a_quiet_hour(snapshot):
    assert "Negative40%overall" in _Reader(fragments.tiles(replace(snapshot, last_hour=Counts()), EN)).text


def test_alerts_say_since_when_how_many_and_against_what(snapshot):
    text = _Reader(fragments.alerts(snapshot, EN)).text
    assert "firingcriticalsince 07:30, for 2 h" in text
    assert "41 negative in 1 h at its peak, 1.5 expected · now 40 of 42" in text
    assert "resolvedcriticalsince 00:30, lasted 6 h 30 min" in text
    assert "Where is <my> parcel?" in text


@pytest.mark.parametrize(("fragment", "advice"), [
    (fragments.records, "triage ingest"),
    (fragments.alerts, "triage alerts test"),
])  # fmt: skip
def test_empty_states_say_what_to_do(fragment, advice):
    assert advice in _Reader(fragment(Snapshot(at_ms=NOW), EN)).text


def test_the_banner_shows_only_when_something_is_wrong(snapshot):
    assert fragments.banner(None, EN, known=True) == ""
    shown = _Reader(fragments.banner("elasticsearch: connection refused", EN, known=True)).text
    assert "connection refused" in shown
    assert "tries again" in shown


def test_before_the_first_reading_nothing_is_claimed():
    reading = Snapshot(at_ms=NOW, known=False)
    away = replace(reading, error="connection refused")
    assert "not read yet" in _Reader(fragments.tiles(reading, EN)).text
    for part in (fragments.records, fragments.alerts, fragments.nothing_to_chart):
        assert "Reading" in part(reading, EN)
        assert "Nothing read yet" in part(away, EN)
    assert "no figures yet" in fragments.banner(away.error, EN, known=away.known)
    assert _Reader(fragments.status(reading, EN)).text.startswith("Connecting")


def test_a_drawn_chart_has_nothing_in_its_place(snapshot):
    assert fragments.nothing_to_chart(snapshot, EN) == ""
    assert "Nothing to draw yet" in fragments.nothing_to_chart(Snapshot(at_ms=NOW), EN)


def test_status_tells_live_stale_and_simulated(snapshot):
    assert _Reader(fragments.status(snapshot, EN)).text == "LiveNov 22 2026, 09:30 UTC"
    assert "simulated time" in _Reader(fragments.status(replace(snapshot, simulated=True), EN)).text
    assert _Reader(fragments.status(replace(snapshot, error="x"), EN)).text.startswith("Stale")


def test_every_part_speaks_chinese(snapshot):
    shown = "".join(
        part(snapshot, ZH) for part in (fragments.tiles, fragments.alerts, fragments.records, fragments.status)
    )
    text = _Reader(shown).text
    for part in ("记录100", "需要处理", "自 07:30，已 2 小时", "物流配送", "负面", "实时"):
        assert part in text
    assert "negative" not in text


def test_the_words_that_decided_are_marked_by_their_weight():
    html = weighed("late again <b>", [Word("late", 0, 4, 0.6), Word("again", 5, 10, -0.1)])
    assert 'class="w-for w-3" title="+0.60">late<' in html
    assert 'class="w-against w-1"' in html
    assert _Reader(html).text == "late again <b>"
