"""Charts: what was seen against what was expected, as blocks, SVG and PNG."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.chart import blocks, svg
from triage.alerting.chart.blocks import sparkline
from triage.alerting.chart.png import png
from triage.alerting.chart.scale import HEIGHT, LEFT, WIDTH, draw
from triage.schemas.alert import Chart

SVG = "{http://www.w3.org/2000/svg}"


def chart(observed, expected=None):
    return Chart("2026-11-22T09:30:00.000Z", 300, observed, expected or [None] * len(observed))


def test_both_lines_are_on_one_scale():
    found = blocks(chart([0, 1, 4, 8], [2.0, 2.0, 2.0, 2.0]))
    assert (found.observed, found.expected) == ("▁▂▅█", "▃▃▃▃")
    assert (found.last, found.last_expected) == (8, 2.0)


def test_what_was_not_known_is_blank_and_nothing_is_nothing():
    assert sparkline([None, 0, 3], 3) == " ▁█"
    assert blocks(chart([0, 0, 0])).observed == "▁▁▁"
    assert blocks(chart([1, 2])).expected is None


def test_only_the_last_steps_are_shown():
    found = blocks(chart(list(range(40))), steps=24)
    assert len(found.observed) == 24
    assert found.last == 39


counts = st.lists(st.tuples(st.integers(0, 10**6), st.one_of(st.none(), st.floats(0, 1e6))), min_size=1, max_size=40)


@settings(max_examples=40)
@given(counts)
def test_everything_lies_within_the_picture(pairs):
    given_chart = chart([seen for seen, _ in pairs], [expected for _, expected in pairs])
    drawing = draw(given_chart)
    assert drawing.top >= max(seen for seen, _ in pairs)
    for bar in drawing.bars:
        assert LEFT <= bar.x < bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= drawing.base <= HEIGHT
    assert sum(map(len, drawing.runs)) == sum(expected is not None for _, expected in pairs)
    assert ET.fromstring(svg(given_chart, "x")).tag == f"{SVG}svg"


def test_the_svg_has_a_bar_for_each_count_and_words_for_a_screen_reader():
    root = ET.fromstring(svg(chart([0, 3, 6], [1.0, None, 2.0]), 'Negative "records" <now>'))
    assert root.get("aria-label") == 'Negative "records" <now>'
    assert [bar.find(f"{SVG}title").text for bar in root.iter(f"{SVG}rect")] == ["3", "6"]
    assert len(list(root.iter(f"{SVG}polyline"))) == 2, "a gap in what was expected is a gap in the line"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["6", "0", "09:30", "09:35", "09:45"]


def test_the_png_is_small_and_shows_the_bars():
    image = pytest.importorskip("PIL.Image")
    data = png(chart([0] * 30 + [9, 8, 7, 6, 4, 6], [1.5] * 36))
    assert len(data) < 10_000
    picture = image.open(io.BytesIO(data)).convert("RGB")
    assert picture.size == (2 * WIDTH, 2 * HEIGHT)
    red, green, blue = np.moveaxis(np.asarray(picture), 2, 0)
    assert ((red > 150) & (green < 100) & (blue < 100)).sum() > 2_000
