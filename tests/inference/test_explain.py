"""Explanations name the words that a known model depends on, with their offsets, and are deterministic."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.config import ModelSettings
from triage.inference.explain import MAX_SEGMENTS, MAX_WORDS, explain_words
from triage.inference.model import OnnxModel
from triage.inference.word_segments import clauses, group_segments, word_segments
from triage.types import Prediction

WEIGHTS = {"never": 2.0, "late": 1.0, "lovely": -1.5, "坏": 3.0, "太差": 2.0}


class Additive:
    """Log-odds of negative and of delivery are sums over words, so that the order of the weights is known."""

    version, taxonomy, languages = "additive@1", "1", frozenset({"en"})

    def __init__(self):
        self.calls = []

    def word_segments(self, text):
        return [(match.start(), match.end()) for match in re.finditer(r"[a-z]+|太差|[\u4e00-\u9fff]", text)]

    def predict(self, texts):
        self.calls.append(list(texts))
        return [self._one(text) for text in texts]

    def _one(self, text):
        negative = 1 / (1 + math.exp(-sum(weight for word, weight in WEIGHTS.items() if word in text)))
        delivery = 0.9 if "parcel" in text else 0.2
        return Prediction(
            sorted([("delivery", delivery), ("other", 1 - delivery)], key=lambda pair: -pair[1]),
            {"negative": negative, "neutral": 0.0, "positive": 1 - negative},
        )


def test_the_strongest_words_come_first_with_their_weights():
    model = Additive()
    found = explain_words(model, "the parcel is late and never came but lovely")
    assert (found.intent.label, found.intent.confidence) == ("delivery", 0.9)
    assert [(word.text, word.weight) for word in found.intent.words] == [("parcel", 0.7)]
    assert [word.text for word in found.sentiment.words] == ["never", "late", "lovely"]
    assert [word.weight > 0 for word in found.sentiment.words] == [True, True, False]
    full = model.predict(["the parcel is late and never came but lovely"])[0].sentiment["negative"]
    without = model.predict(["the parcel is late and  came but lovely"])[0].sentiment["negative"]
    assert found.sentiment.words[0].weight == pytest.approx(full - without, abs=1e-4)


def test_clauses_with_the_same_meaning_do_not_hide_each_other():
    class AnyBad(Additive):
        def _one(self, text):
            negative = 0.95 if "bad" in text or "awful" in text else 0.05
            return Prediction([("other", 1.0)], {"negative": negative, "neutral": 0.0, "positive": 1 - negative})

    words_found = explain_words(AnyBad(), "food was bad, service was awful").sentiment.words
    assert {word.text: word.weight for word in words_found} == {"bad": 0.45, "awful": 0.45}


def test_one_model_call_of_bounded_size():
    model = Additive()
    explain_words(model, "the parcel came late " * 500)
    assert len(model.calls) == 1
    assert len(model.calls[0]) == MAX_SEGMENTS + 1
    found = explain_words(model, "late, " * 40)
    assert len(found.sentiment.words) <= MAX_WORDS


@pytest.mark.parametrize("text", ["", "   ", "!!!", "...?"])
def test_texts_without_words_have_no_weights(text):
    found = explain_words(Additive(), text)
    assert found.intent.words == found.sentiment.words == []


@pytest.fixture(scope="module")
def model(tiny_folder):
    return OnnxModel.load(ModelSettings(path=tiny_folder, device="cpu", threads=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My parcel hasn't arrived!", {"My", "parcel", "arrived"}),
        ("Zürich café, 12.50 paid", {"Zürich", "café", "paid"}),
        ("love it 😍", {"love", "it", "😍"}),
    ],
)
def test_segments_are_whole_words(model, text, expected):
    assert expected <= {text[start:end] for start, end in model.word_segments(text)}


def test_chinese_is_split_as_by_the_tokenizer(model):
    text = "快递三天还没到，客服态度太差了"
    words = [text[start:end] for start, end in model.word_segments(text)]
    assert "".join(words) == text.replace("，", "")
    assert len(words) > 5


TEXTS = st.text(alphabet=st.sampled_from("ab cé'-长城坏了，。😡👨\u200d👩@.1\n[PHONE]\u202e\ud800\u0301"), max_size=60)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_segments_are_inside_the_text_and_in_order(model, text):
    last = 0
    for start, end in model.word_segments(text):
        assert last <= start < end <= len(text)
        last = end


@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_any_text_is_explained_and_always_equally(model, text):
    found = explain_words(model, text)
    assert found == explain_words(model, text)
    for head in found:
        for word in head.words:
            assert text[word.start : word.end] == word.text
            assert -1 <= word.weight <= 1


@given(st.integers(0, 200), st.integers(1, 60))
def test_grouping_keeps_every_segment_once(count, most):
    segments = [(3 * n, 3 * n + 2) for n in range(count)]
    found = group_segments(segments, most)
    assert len(found) == min(count, most)
    starts = [start for start, _ in found]
    assert starts == sorted(starts)
    for start, end in segments:
        assert sum(low <= start and end <= high for low, high in found) == 1


def test_clauses_end_at_punctuation_and_lines():
    text = "late again. 快递没到，很差\nbad"
    segments = word_segments(text, [(0, 4), (5, 10), (12, 14), (14, 16), (17, 19), (20, 23)])
    assert [[text[slice(*segments[n])] for n in clause] for clause in clauses(text, segments)] == [
        ["late", "again"],
        ["快递", "没到"],
        ["很差"],
        ["bad"],
    ]
