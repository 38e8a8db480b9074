"""Highlighted parts of a record's text."""

from html_reader import HtmlReader
from hypothesis import given
from hypothesis import strategies as st

from triage.console.web.highlighting import highlighted, weighed
from triage.schemas.enriched import Entity
from triage.schemas.explanation import Word
from triage.translations import translations_for

EN = translations_for("en")


def _entity(start, end, label="location", source="model"):
    return Entity("", label, start, end, 0.9, source)


def test_entities_are_marked_by_code_points():
    text = "😡 武汉仓 & me@example.com"
    found = HtmlReader(highlighted(text, [_entity(2, 4), _entity(8, 22, "email", "rule")], EN))
    assert found.text == text
    assert found.marked == ["武汉", "me@example.com"]


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_any_text_and_any_offsets_show_the_text_and_no_tags_but_marks(text, spans):
    entities = [_entity(start, min(end, len(text))) for start, end in spans if start < min(end, len(text))]
    html = highlighted(text, entities, EN)
    found = HtmlReader(html)
    assert found.text == text
    assert set(found.tags) <= {"mark"}


def test_a_long_text_is_cut_and_entities_beyond_the_cut_left_out():
    found = HtmlReader(highlighted("x" * 1000, [_entity(0, 3), _entity(390, 410), _entity(900, 910)], EN))
    assert len(found.text) == 400
    assert found.text.endswith("…")
    assert found.marked == ["xxx"]


def test_the_words_that_decided_are_marked_by_their_weight():
    html = weighed("late again <b>", [Word("late", 0, 4, 0.6), Word("again", 5, 10, -0.1)])
    assert 'class="w-for w-3" title="+0.60">late<' in html
    assert 'class="w-against w-1"' in html
    assert HtmlReader(html).text == "late again <b>"
