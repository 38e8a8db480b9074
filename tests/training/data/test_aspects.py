"""Aspects in the data: mapping of categories, and states."""

import json

import pytest

from triage.errors import ConfigError, TrainingError
from triage.training.data.custom import read_custom_data
from triage.training.data.encode import aspect_states
from triage.training.data.labels import ASPECT_STATES, IGNORED, load_taxonomy
from triage.training.data.readers import READERS
from triage.training.data.training_sets import load_training_sets

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
    (example,) = READERS["triplets"]("dataset", [row], ENTRY)
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


def test_opposite_polarities_of_an_aspect_are_ignored_and_neutral_is_overridden():
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
    first, second = READERS["opinions"]("dataset", rows, entry)
    assert (first.aspects, first.known_aspects) == ((("service", "negative"),), ("price", "service"))
    assert (state(second, "price"), state(second, "service"), first.labelled) == ("negative", "absent", True)


def test_custom_rows(tmp_path):
    path = tmp_path / "own.jsonl"
    rows = [{"text": "slow", "aspects": [{"label": "delivery", "polarity": "negative"}]}, {"text": "plain"}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    first, second = read_custom_data(path, TAXONOMY)
    assert (state(first, "delivery"), state(first, "security")) == ("negative", "absent")
    assert second.aspects is None
    assert set(aspect_states(second, TAXONOMY)) == {IGNORED}
    path.write_text(
        '{"text": "a", "aspects": [{"label": "smell", "polarity": "negative"}]}\n'
        '{"text": "b", "aspects": [{"label": "price", "polarity": "bad"}]}\n{"text": "c", "aspects": ["price"]}\n'
    )
    with pytest.raises(TrainingError) as caught:
        read_custom_data(path, TAXONOMY)
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
        load_training_sets(TAXONOMY, path)
    assert "x.aspects: 'smell' is not in the taxonomy" in str(caught.value)
    assert "y.aspects needs known and map" in str(caught.value)


def test_the_shipped_maps_fit_and_are_left_out_without_aspects():
    from dataclasses import replace

    assert any(source.has_aspects for source in load_training_sets(TAXONOMY))
    assert not any(source.has_aspects for source in load_training_sets(replace(TAXONOMY, aspects=())))
