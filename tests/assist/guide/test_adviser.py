"""Advice: what fits, which question is asked, and which wish to drop."""

import math

import guides
import msgspec
import pytest
from small_encoder import SmallEncoder

from triage.assist.guide.constraints import fitting
from triage.assist.guide.model import GuideRequest, GuideState
from triage.assist.guide.notation import read, written
from triage.assist.guide.plan import documents_of
from triage.assist.guide.questions import best_split, split


@pytest.fixture(scope="module")
def adviser():
    return guides.adviser()


def test_what_fits_is_shown_with_the_catalogues_words(adviser):
    found = adviser.advise(GuideRequest(text="A waterproof black phone under $300"))
    assert (found.fits, [each.item for each in found.results]) == (1, ["p-06"])
    (result,) = found.results
    item = next(each for each in guides.items() if each.id == "p-06")
    assert (result.text, result.passage, result.name) == (item.text["en"], "p-06#en", item.name["en"])
    assert (found.ask, found.drop) == (None, [])
    assert found.degraded
    assert "encoder" in (found.why_degraded or "")


def test_every_result_fits_and_nothing_that_fits_is_lost(adviser):
    for text in ("手机，2000元以下", "laptop, not silver", "a dress", "something wireless"):
        found = adviser.advise(GuideRequest(text=text, k=20))
        expected = fitting(guides.items(), found.constraints)
        assert found.fits == len(expected)
        assert {each.item for each in found.results} <= {each.id for each in expected}
        assert len(found.results) == min(20, len(expected))


def test_at_most_three_questions_each_once(adviser):
    state, asked = None, []
    for _ in range(6):
        found = adviser.advise(GuideRequest(text="I don't mind", state=state))
        asked += [found.ask.name] if found.ask else []
        state = found.state
    assert len(asked) == len(set(asked)) == 3
    assert adviser.advise(GuideRequest(text="a phone")).ask.text in {
        question[language]
        for question in (
            *(each.ask for each in guides.words().attributes.values() if each.ask), guides.words().price.ask,
        )
        for language in question
    }  # fmt: skip


def test_an_answer_narrows_what_was_found(adviser):
    first = adviser.advise(GuideRequest(text="我想买手机"))
    assert first.ask is not None
    assert first.fits == 10
    answer = first.ask.options[0]
    second = adviser.advise(GuideRequest(text=answer.label, language="zh", state=first.state))
    assert second.fits == answer.items < first.fits
    assert second.state.query == f"我想买手机 {answer.label}"


def test_the_state_can_be_sent_back_as_json(adviser):
    first = adviser.advise(GuideRequest(text="laptop under 900 dollars"))
    encoded = msgspec.json.encode({"text": "not silver", "state": first.state})
    second = adviser.advise(msgspec.json.decode(encoded, type=GuideRequest))
    assert written(second.constraints) == "price<=900 USD; category=laptop; colour!=silver"


def test_where_nothing_fits_the_wish_to_drop_is_named(adviser):
    found = adviser.advise(GuideRequest(text="glass kettle of at least 1.5 litres under $30"))
    assert (found.fits, found.results, found.ask) == (0, [], None)
    assert [(each.names, each.wishes, each.fits) for each in found.drop] == [
        (["material"], ["glass"], 2),
        (["price"], ["under $30"], 1),
    ]
    for text in ("pink gaming phone waterproof 1TB", "丝绸的黑色运动短袖，50元以内"):
        found = adviser.advise(GuideRequest(text=text))
        assert found.drop
        for each in found.drop:
            rest = [wish for wish in found.constraints if wish.name not in each.names]
            assert len(fitting(guides.items(), rest)) == each.fits > 0


def test_reviews_that_cannot_be_read_make_the_advice_incomplete(adviser):
    complete = adviser.advise(GuideRequest(text="a phone"))
    assert (complete.incomplete, complete.why_incomplete) == (False, None)
    found = guides.adviser(find_reviews=lambda items, language: None).advise(GuideRequest(text="a phone"))
    assert (found.incomplete, found.why_incomplete) == (True, "reviews could not be read")
    assert [each.item for each in found.results] == [each.item for each in complete.results]
    # Without reviews that say something, nothing is missing.
    assert not guides.adviser(find_reviews=lambda items, language: {}).advise(GuideRequest(text="a phone")).incomplete


def test_the_cheapest_comes_first(adviser):
    found = adviser.advise(GuideRequest(text="the cheapest laptop", k=10))
    prices = [each.prices["USD"] for each in found.results]
    assert prices == sorted(prices)
    assert len(prices) == 10


def test_the_words_rank_what_fits():
    for encoder in (None, SmallEncoder()):
        found = guides.adviser(encoder=encoder).advise(GuideRequest(text="A kettle for hotel rooms"))
        assert found.results[0].item == "k-05"
        assert found.degraded == (encoder is None)


def test_vectors_of_another_encoder_do_not_count():
    documents = documents_of(guides.items(), SmallEncoder("old@1"))
    found = guides.adviser(encoder=SmallEncoder("new@1"), documents=documents).advise(GuideRequest(text="kettle"))
    assert found.degraded
    assert "new@1" in (found.why_degraded or "")


def test_orders_rank_only_if_switched_on_and_with_enough_of_them():
    documents = documents_of(guides.items(), None)
    by_id = {each.item: each for each in documents}
    by_id["h-05"].bought_with = {"p-07": 9}
    by_id["h-06"].bought_with = {"p-07": 4}
    request = GuideRequest(text="headphones", bought=["p-07"])
    off = guides.adviser(documents=documents).advise(request)
    assert "h-05" not in [each.item for each in off.results]
    on = guides.adviser(documents=documents, bought_together=True).advise(request)
    assert on.results[0].item == "h-05"
    assert on.results[1:] == off.results[:2]


def _items(colours):
    return [guides.item(str(number), choices={"colour": list(some)}) for number, some in enumerate(colours)]


def test_the_information_of_a_question_is_what_its_answer_leaves():
    words = guides.words()
    assert split(_items([["red"], ["blue"]] * 2), "colour", words, "USD").bits == pytest.approx(1)
    assert split(_items([["red"], ["blue"], ["black"], ["white"]]), "colour", words, "USD").bits == pytest.approx(2)
    # All come in both colours: whatever the answer, nothing is excluded.
    assert split(_items([["red", "blue"]] * 4), "colour", words, "USD").bits == pytest.approx(0)
    # Half of the items tell nothing.
    assert split(_items([["red"], ["blue"], [], []]), "colour", words, "USD").bits == pytest.approx(
        2 / 4 * math.log2(4)
    )
    assert split(_items([["red"]] * 4), "colour", words, "USD") is None
    assert best_split(_items([["red"], ["blue"]]), read("colour=red"), words, "USD") is None
    assert best_split(_items([["red"], ["blue"]]), read("colour!=black"), words, "USD").name == "colour"
    assert best_split(_items([["red"], ["blue"]]), [], words, "USD", ["colour"]) is None


def test_ranges_of_numbers_cover_all_items():
    items = [guides.item(str(number), prices={"USD": float(number)}) for number in range(1, 11)]
    found = split(items, "price", guides.words(), "USD")
    assert [(each.low, each.high, each.items) for each in found.options] == [(None, 3, 3), (3, 6, 3), (6, None, 4)]
    assert split(items, "price", guides.words(), "CNY") is None


@pytest.mark.parametrize("text", ["", " ", "?", "\x00", "a" * 5_000])
def test_texts_without_a_wish_are_answered(adviser, text):
    found = adviser.advise(GuideRequest(text=text, state=GuideState()))
    assert found.fits == 48
    assert len(found.results) == 3
