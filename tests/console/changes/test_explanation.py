"""A change is explained by the value that has most of it, beyond what it had before."""

from dataclasses import replace

import pytest

from triage.console.changes.explanation import Explanation, Part, leading, majority, ranked
from triage.console.changes.fragments import comparison_html
from triage.console.changes.measure import Comparison
from triage.console.filters import Filters
from triage.elastic.changes import Change, Periods
from triage.translations import translations_for

EN, ZH = translations_for("en"), translations_for("zh")
TOTAL = Change((), 184, 100)
DELIVERY, BILLING = Change(("delivery",), 101, 20), Change(("billing",), 43, 40)
# Most records are from there, before and after: this explains nothing.
WHERE_MOST_ARE = Change(("eu",), 166, 90)


def test_the_value_that_has_most_of_the_change_beyond_its_share_before():
    by_field = {"region": [WHERE_MOST_ARE], "intent": [DELIVERY, BILLING]}
    assert leading(TOTAL, by_field) == Part("intent", DELIVERY)
    assert [part.value for part in ranked(TOTAL, by_field, 8)] == ["delivery", "eu"]
    assert leading(TOTAL, {"region": [WHERE_MOST_ARE], "intent": [BILLING]}) is None


def test_a_fall_is_explained_by_what_fell():
    total = Change((), 100, 184)
    fallen = Change(("delivery",), 20, 101)
    assert leading(total, {"intent": [fallen, Change(("billing",), 43, 40)]}) == Part("intent", fallen)


def test_an_aspect_with_the_numbers_of_an_intent_is_not_listed_again():
    same, other = replace(DELIVERY, values=("delivery:negative",)), Change(("price:negative",), 60, 20)
    found = ranked(TOTAL, {"intent": [DELIVERY], "aspect": [same, other]}, 8)
    assert [part.value for part in found] == ["delivery", "price:negative"]
    assert len(ranked(TOTAL, {"intent": [DELIVERY], "aspect": [other]}, 1)) == 1


def test_what_was_never_there_before_explains_too():
    new = Change(("new",), 40, 0)
    assert leading(Change((), 42, 2), {"brand": [new, Change(("old",), 2, 2)]}) == Part("brand", new)


def test_the_majority_needs_half_of_the_change_in_its_direction():
    mover = Change(("nova", "delivery"), 60, 20)
    assert majority(mover, [Change(("cn",), 35, 10), Change(("eu",), 25, 10)]) == "cn"
    assert majority(mover, [Change(("cn",), 20, 10), Change(("eu",), 20, 8)]) is None
    assert majority(mover, [Change(("cn",), 0, 40)]) is None
    assert majority(mover, []) is None


def _said(explanation, translations=EN):
    comparison = Comparison(Periods(0, 1, 2), Change((), 200, 150), {}, explanation, [], [], 0, (), enough=True)
    html = comparison_html(comparison, Filters(), translations)
    return html.partition('<p class="explained">')[2].partition("</p>")[0]


def _plain(html):
    return html.partition("<a ")[0] + "".join(part.partition(">")[2] for part in html.split("<")[1:])


@pytest.mark.parametrize(("explanation", "english", "chinese"), [
    (
        Explanation(TOTAL, True, first=Part("intent", DELIVERY), second=Part("region", Change(("Wuhan",), 80, 5))),
        "delivery (intent) explains 81 of the 84 more negative records, mostly Wuhan (region).",
        "多出的 84 条负面记录中，81 条来自物流配送（意图），主要是Wuhan（地区）。",
    ),
    (
        Explanation(Change((), 110, 50), False, first=Part("intent", DELIVERY)),
        "delivery (intent) explains more than all of the 60 more records: its own number changed by 81.",
        "多出的 60 条记录全部来自物流配送（意图）：其自身变化 81 条，其余有所抵消。",
    ),
    (
        Explanation(Change((), 100, 184), True),
        "No single value explains the 84 fewer negative records: they are spread over all fields.",
        "减少的 84 条负面记录没有单一的来源：各字段都有分布。",
    ),
    (
        Explanation(Change((), 101, 100), True),
        "The number of negative records has hardly changed: 101, 100 before.",
        "负面记录数几乎没有变化：101 条，之前 100 条。",
    ),
])  # fmt: skip
def test_the_opening_sentence(explanation, english, chinese):
    assert _plain(_said(explanation)) == english
    assert _plain(_said(explanation, ZH)) == chinese


def test_names_in_the_sentence_lead_to_their_records():
    html = _said(
        Explanation(TOTAL, True, first=Part("intent", DELIVERY), second=Part("entity", Change(("武汉",), 80, 5)))
    )
    assert 'href="explore?intent=delivery&amp;compare=1"' in html
    assert "intent=delivery&amp;entity=%E6%AD%A6%E6%B1%89" in html
