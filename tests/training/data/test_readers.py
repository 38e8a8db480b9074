import pytest

from triage.errors import TrainingError
from triage.training.data.examples import Entity
from triage.training.data.readers import READERS
from triage.training.data.readers.labelled import map_label
from triage.training.data.readers.tagged import join_tokens, tag_spans


def test_a_map_renames_drops_and_defaults():
    rule = {"field": "label", "map": {"late": "delivery", "misc": None}, "default": "other"}
    assert map_label("s", rule, {"label": "late"}) == "delivery"
    assert map_label("s", rule, {"label": "misc"}) is None
    assert map_label("s", rule, {"label": "new"}) == "other"
    assert map_label("s", rule, {"label": None}) is None
    assert map_label("s", {"constant": "negative"}, {}) == "negative"
    assert map_label("s", None, {"label": "late"}) is None


def test_an_unknown_label_is_an_error_that_names_it():
    with pytest.raises(TrainingError, match="shop: label 'brand_new' is not in the map"):
        map_label("shop", {"field": "label", "map": {"late": "delivery"}}, {"label": "brand_new"})


def test_a_list_of_labels_counts_only_with_one_member():
    rule = {"field": "intents", "map": {"a": "billing"}, "default": None}
    assert map_label("s", rule, {"intents": ["a"]}) == "billing"
    assert map_label("s", rule, {"intents": ["a", "b"]}) is None


def test_labelled_rows():
    entry = {"intent": {"field": "label", "map": {"x": "billing"}}, "sentiment": {"constant": "neutral"}}
    (example,) = READERS["labelled"]("dataset", [{"text": " hello ", "label": "x"}, {"text": " ", "label": "x"}], entry)
    assert (example.text, example.intent, example.sentiment, example.entities) == ("hello", "billing", "neutral", None)


def test_triplets_give_an_intent_only_where_all_categories_agree():
    entry = {
        "sentiment": {"field": "label", "map": {"negative": "negative", "positive": "positive"}},
        "intent_by_category": {
            "negative": {"logistics#speed": "delivery", "battery": "product_fault"},
            "positive": {"": "praise"},
        },
    }
    rows = [
        {"text": "送货  慢", "label": "negative", "categories": ["logistics#speed"]},
        {"text": "送货慢，电池差", "label": "negative", "categories": ["logistics#speed", "battery#general"]},
        {"text": "慢而且贵", "label": "negative", "categories": ["logistics#speed", "unknown#x"]},
        {"text": "很好", "label": "positive", "categories": ["anything#x"]},
    ]
    intents = [(example.text, example.intent) for example in READERS["triplets"]("z", rows, entry)]
    assert intents == [("送货 慢", "delivery"), ("送货慢，电池差", None), ("慢而且贵", None), ("很好", "praise")]


@pytest.mark.parametrize(
    ("tokens", "chinese", "text"),
    [
        (["I", "'m", "in", "New", "York", ",", "ok", "?"], False, "I'm in New York, ok?"),
        (["do", "n't", "(", "really", ")", "#", "tag", "$", "5"], False, "don't (really) #tag $5"),
        (["我", "在", "北京"], True, "我在北京"),
        (["用", "Windows", "Phone", "手机"], True, "用Windows Phone手机"),
    ],
)
def test_tokens_are_joined_as_people_write_and_offsets_hold(tokens, chinese, text):
    joined, offsets = join_tokens(tokens, chinese=chinese)
    assert joined == text
    assert [joined[start:end] for start, end in offsets] == tokens


def test_tag_spans_repair_stray_i_and_drop_masked_types():
    types = {"PER": "person", "NOM": None, "LOC": "location"}
    tags = ["I-PER", "I-PER", "O", "B-NOM", "I-NOM", "B-LOC", "B-LOC", "I-PER"]
    assert tag_spans("s", tags, types) == [
        (0, 1, "person"),
        (5, 5, "location"),
        (6, 6, "location"),
        (7, 7, "person"),
    ]
    with pytest.raises(TrainingError, match="entity type 'ORG' is not in the map"):
        tag_spans("s", ["B-ORG"], types)


def test_tagged_rows_have_code_point_spans_and_no_handles():
    entry = {"types": {"PER": "person", "LOC": "location"}, "known_types": ["person", "location"]}
    rows = [
        {"tokens": ["😀", "Ann", "Lee", "left", "Paris", "."], "tags": ["O", "B-PER", "I-PER", "O", "B-LOC", "O"]},
        {"tokens": ["RT", "@", "SportsCenter", "hi"], "tags": ["O", "B-PER", "B-PER", "O"]},
    ]
    first, second = READERS["tagged"]("dataset", rows, entry)
    assert first.entities == (Entity(2, 9, "person"), Entity(15, 20, "location"))
    assert first.text[2:9] == "Ann Lee"
    assert first.known_types == ("person", "location")
    assert second.entities == ()
