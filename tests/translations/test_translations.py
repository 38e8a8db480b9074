"""Numbers, times, durations and plural forms as each language writes them."""

import pytest
from markupsafe import Markup

from triage.translations import translations_for

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
MINUTE = 60_000
EN, ZH = translations_for("en"), translations_for("zh")


@pytest.mark.parametrize(("ms", "shown"), [
    (0, "under a minute"), (59_999, "under a minute"), (MINUTE, "1 min"), (60 * MINUTE, "1 h"),
    (130 * MINUTE, "2 h 10 min"), (24 * 60 * MINUTE, "1 d"), (76 * 60 * MINUTE + MINUTE, "3 d 4 h"),
    (-5, "under a minute"),
])  # fmt: skip
def test_duration(ms, shown):
    assert EN.duration(ms) == shown


@pytest.mark.parametrize(("ms", "shown"), [
    (NOW, "09:30"), (NOW - 10 * 60 * MINUTE, "Nov 21, 23:30"), (NOW - 400 * 24 * 60 * MINUTE, "Oct 18 2025, 09:30"),
])  # fmt: skip
def test_when(ms, shown):
    assert EN.when(ms, NOW) == shown


def test_times_in_chinese():
    assert ZH.duration(130 * MINUTE) == "2 小时 10 分钟"
    assert ZH.when(NOW - 10 * 60 * MINUTE, NOW) == "11月21日 23:30"


def test_numbers():
    assert (EN.number(12345), EN.number(None)) == ("12,345", "–")
    assert (EN.percent(0.914), EN.percent(None)) == ("91%", "–")
    assert [EN.quantity(value) for value in (12.34, 3.44, 2.0, 0.06)] == ["12", "3.4", "2", "0.1"]


def test_values_of_ones_own_are_shown_as_they_are():
    assert ZH.term("sentiment", "negative") == "负面"
    assert ZH.term("aspect_pair", "delivery:negative") == "物流配送 · 负面"
    assert ZH.term("brand", "Acme") == "Acme"
    assert EN.term("intent", "product_fault") == "product fault"


@pytest.mark.parametrize(("ms", "shown"), [
    (0, "0 s"), (45_000, "45 s"), (90_000, "1 min 30 s"), (90 * MINUTE, "1 h 30 min"), (24 * 60 * MINUTE, "1 d"),
])  # fmt: skip
def test_exact_duration(ms, shown):
    assert EN.exact_duration(ms) == shown


def test_a_count_chooses_the_plural_form_and_is_written_as_a_number():
    assert [EN("explore.count", n=count) for count in (0, 1, 12_345)] == ["0 records", "1 record", "12,345 records"]
    assert [ZH("explore.count", n=count) for count in (1, 12_345)] == ["1 条记录", "12,345 条记录"]


def test_values_in_html_are_escaped_unless_they_are_markup():
    assert EN.html("alert.at_peak", n=Markup("<b>3</b>"), window="<i>") == "<b>3</b> negative in &lt;i&gt; at its peak"


def test_an_unknown_language_or_message_is_an_error():
    with pytest.raises(KeyError):
        translations_for("xx")
    with pytest.raises(KeyError):
        EN("no.such_message")
