"""Aspects in the data: categories of a corpus to ours, states, figures (no torch)."""

import json

import numpy as np
import pytest

from triage.errors import ConfigError, TrainingError
from triage.training.data.custom import read_own
from triage.training.data.encode import aspect_states
from triage.training.data.examples import Example
from triage.training.data.labels import ASPECT_STATES, IGNORED, load_taxonomy
from triage.training.data.readers import READERS
from triage.training.data.training_sets import load_sources
from triage.training.evaluation.aspect_scoring import aspect_scores, decide

RULES = {
    "known": {"phone": ["delivery", "price", "quality"], "hotel": ["price", "environment"]},
    "map": {
        "logistics#*": "delivery",
        "*#price*": "price",
        "overall*": "quality?",
        "rooms *": ["environment", "price?"],
    },
}
ENTRY = {"aspects": RULES, "sentiment": {"field": "label"}}
TAXONOMY = load_taxonomy()


def triplets(domain, *triples, label="negative"):
    row = {
        "text": "t",
        "label": label,
        "triplets": triples,
        "categories": [t[1].lower() for t in triples],
        "domain": domain,
    }
    (example,) = READERS["triplets"]("pack", [row], ENTRY)
    return example


def state(example, aspect):
    value = aspect_states(example, TAXONOMY)[TAXONOMY.aspects.index(aspect)]
    return "ignored" if value == IGNORED else ASPECT_STATES[value]


def test_an_aspect_is_present_absent_or_unknown_by_what_the_domain_was_tagged_for():
    example = triplets("phone", ["慢", "Logistics#Speed", "negative"])
    assert state(example, "delivery") == "negative"
    assert state(example, "price") == "absent"
    assert state(example, "environment") == "ignored"


def test_a_wide_category_makes_its_aspect_unknown_unless_it_is_named_too():
    assert state(triplets("phone", ["好", "Overall#Overall", "positive"]), "quality") == "ignored"
    hotel = triplets("hotel", ["脏", "Rooms General", "negative"])
    assert (state(hotel, "environment"), state(hotel, "price")) == ("negative", "ignored")
    named = triplets("hotel", ["脏", "Rooms General", "negative"], ["贵", "Hotel#Prices", "negative"])
    assert state(named, "price") == "negative"


def test_praise_and_blame_of_one_aspect_leave_it_open_and_neutral_gives_way():
    both = triplets("phone", ["a", "x#price", "positive"], ["b", "y#price", "negative"])
    assert state(both, "price") == "ignored"
    mild = triplets("phone", ["a", "x#price", "neutral"], ["b", "y#price", "negative"])
    assert state(mild, "price") == "negative"


def test_rows_of_categories_as_a_list_or_a_mapping():
    entry = {"aspects": {"known": ["price", "service"], "map": {"staff": "service", "price_*": "price"}}}
    rows = [
        {"text": "rude", "aspects": [{"category": "staff", "polarity": "negative"}]},
        {"text": "贵", "aspects": {"price_level": "negative"}},
    ]
    first, second = READERS["opinions"]("pack", rows, entry)
    assert (first.aspects, first.known_aspects) == ((("service", "negative"),), ("price", "service"))
    assert (state(second, "price"), state(second, "service"), first.labelled) == ("negative", "absent", True)


def test_own_rows(tmp_path):
    path = tmp_path / "own.jsonl"
    rows = [{"text": "slow", "aspects": [{"label": "delivery", "polarity": "negative"}]}, {"text": "plain"}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    first, second = read_own(path, TAXONOMY)
    assert (state(first, "delivery"), state(first, "security")) == ("negative", "absent")
    assert second.aspects is None
    assert set(aspect_states(second, TAXONOMY)) == {IGNORED}
    path.write_text(
        '{"text": "a", "aspects": [{"label": "smell", "polarity": "negative"}]}\n'
        '{"text": "b", "aspects": [{"label": "price", "polarity": "bad"}]}\n{"text": "c", "aspects": ["price"]}\n'
    )
    with pytest.raises(TrainingError) as caught:
        read_own(path, TAXONOMY)
    for part in (
        "line 1: aspect 'smell' is not in the taxonomy",
        "line 2: polarity 'bad'",
        "line 3: aspect 'price' needs",
    ):
        assert part in str(caught.value)


def test_a_source_that_names_an_unknown_aspect(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(
        "sources: {x: {path: p, reader: opinions, aspects: {known: [price], map: {a: 'smell?'}}}, "
        "y: {path: p, reader: opinions, aspects: {known: [price]}}}"
    )
    with pytest.raises(ConfigError) as caught:
        load_sources(TAXONOMY, path)
    assert "x.aspects: 'smell' is not in the taxonomy" in str(caught.value)
    assert "y.aspects needs known and map" in str(caught.value)


def test_the_shipped_maps_fit_and_vanish_without_aspects():
    from dataclasses import replace

    assert any(source.teaches_aspects for source in load_sources(TAXONOMY))
    assert not any(source.teaches_aspects for source in load_sources(replace(TAXONOMY, aspects=())))


def test_figures_count_pairs_that_were_looked_for():
    gold = [[1, 0, IGNORED], [3, 2, 0]]
    guess = np.array([[1, 1, 3], [1, 2, 0]])
    figures = aspect_scores(gold, guess)
    assert figures["pairs"] == 3
    assert figures["precision"] == pytest.approx(2 / 4)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["f1"] == pytest.approx(4 / 7)
    assert figures["macro_f1"] == pytest.approx((2 / 4 + 2 / 3) / 2)
    assert figures["detection_f1"] == pytest.approx(6 / 7)


def test_presence_needs_the_threshold_and_then_takes_the_best_polarity():
    scores = np.array([[[0.4, 0.1, 0.2, 0.3]], [[0.7, 0.3, 0.0, 0.0]], [[0.0, 1.0, 0.0, 0.0]]])
    assert decide(scores, 0.5).tolist() == [[3], [0], [1]]
    assert decide(scores, 0.2).tolist() == [[3], [1], [1]]
    assert Example("t", "s").aspects is None
