"""Long texts: divided into windows, read to their end, and joined to one result with the offsets of the text."""

import numpy as np
import pytest

from triage.config import ModelSettings
from triage.inference.model import OnnxModel
from triage.inference.runtime import Logits
from triage.inference.tokenization import TextTokenizer
from triage.inference.windows import join_windows, joined_offsets

POLES = (0, 2)


@pytest.fixture
def tokenizer(tokenizer_file):
    return TextTokenizer(tokenizer_file, max_tokens=20, pad_id=1, max_windows=4, window_tokens=10)


def logits_of(tokenized, order, sentiment, intent=None):
    """Logits of the windows in the order `order`; the tags name the window of each token."""
    entity = np.concatenate([np.full((tokenized.lengths[window], 1), window, np.float32) for window in order])
    sentiment = np.array(sentiment, np.float32)[order]
    intent = sentiment if intent is None else np.array(intent, np.float32)[order]
    return Logits(intent, sentiment, entity)


def test_a_text_up_to_the_limit_is_one_window(tokenizer):
    tokenized = tokenizer.encode([" ".join(["x"] * count) for count in (3, 18, 19)])
    assert tokenized.texts.tolist() == [0, 1, 2, 2, 2]
    assert not tokenized.truncated.any()


@pytest.mark.parametrize("end", [" ", ". ", ".\n", "? "])
def test_all_tokens_are_in_the_joined_text_once_and_in_order(tokenizer_file, end):
    tokenizer = TextTokenizer(tokenizer_file, max_tokens=20, pad_id=1, max_windows=9, window_tokens=10)
    text = end.join(["late from x fine"] * 6)
    tokenized = tokenizer.encode([text])
    assert not tokenized.truncated.any()
    shown = "".join(text[first:last] for first, last in joined_offsets(tokenized).tolist())
    assert shown.split() == text.split()


def test_of_a_text_with_too_many_windows_the_middle_is_left_out(tokenizer):
    text = " ".join(["late"] + ["x"] * 100 + ["fine"])
    tokenized = tokenizer.encode([text])
    assert len(tokenized.lengths) == 4
    assert tokenized.truncated.tolist() == [False, True, False, False]
    shown = [text[start:end].strip() for start, end in joined_offsets(tokenized).tolist()]
    assert shown[1] == "late"
    assert shown[-2] == "fine"


def test_a_window_ends_with_a_sentence_and_only_a_longer_one_is_cut(tokenizer):
    text = "late from x. fine x? x\nlate 张在。x three. " + "x " * 14  # 8 tokens a window, without the special ones
    tokenized = tokenizer.encode([text])
    parts = []
    for window, shared in enumerate(tokenized.shared.tolist()):
        places = [place for place in tokenized.offsets(window).tolist() if place[0] < place[1]]
        parts.append((text[places[0][0] : places[-1][1]].strip(), shared))
    assert parts == [
        ("late from x. fine x?", 0),
        ("x\nlate 张在。x three.", 0),
        ("x x x x x x x x", 2),
        ("x x", 0),
    ]


def test_windows_cover_the_longest_text_with_a_bounded_number(tokenizer):
    assert len(tokenizer.encode(["x " * 20_000]).lengths) == 4


def test_the_window_with_an_opinion_decides(tokenizer):
    tokenized = tokenizer.encode(["x", "x " * 24])
    windows = len(tokenized.lengths)
    sentiment = [[0, 3, 0]] * windows
    sentiment[2] = [6, 0, -1]
    order = np.arange(windows)[::-1]
    joined = join_windows(logits_of(tokenized, order, sentiment), order, tokenized, POLES)
    assert joined.logits.sentiment.argmax(axis=1).tolist() == [1, 0]
    assert joined.truncated.tolist() == [False, False]


def test_without_an_opinion_anywhere_the_text_is_neutral(tokenizer):
    tokenized = tokenizer.encode(["x " * 24])
    order = np.arange(len(tokenized.lengths))
    joined = join_windows(logits_of(tokenized, order, [[0, 2, 0]] * len(order)), order, tokenized, POLES)
    assert joined.logits.sentiment.argmax(axis=1).tolist() == [1]


def test_a_risk_of_any_window_counts_and_an_aspect_keeps_its_polarity(tokenizer):
    tokenized = tokenizer.encode(["x " * 24, "x"])
    count = len(tokenized.lengths)
    order = np.arange(count)
    risk = np.full((count, 2), -5, np.float32)
    risk[1, 0] = 4
    aspect = np.tile(np.array([5, 0, 0, 0], np.float32), (count, 1, 1))
    aspect[0, 0] = [0, 3, 0, 0]
    given = logits_of(tokenized, order, [[0, 2, 0]] * count)._replace(risk=risk, aspect=aspect)
    joined = join_windows(given, order, tokenized, POLES)
    assert joined.logits.risk.tolist() == [[4, -5], [-5, -5]]
    assert joined.logits.aspect.argmax(axis=-1).tolist() == [[1], [0]]


def test_entity_logits_are_those_of_the_window_with_more_context(tokenizer):
    tokenized = tokenizer.encode(["x " * 24])
    order = np.arange(len(tokenized.lengths))
    joined = join_windows(logits_of(tokenized, order, [[0, 2, 0]] * len(order)), order, tokenized, POLES)
    assert joined.tokens.tolist() == [len(joined.logits.entity)]
    assert len(joined.offsets(0)) == len(joined.logits.entity)
    assert np.diff(joined.logits.entity[:, 0]).min() >= 0


@pytest.fixture(scope="module")
def model():
    from checkout import TINY_MODEL

    return OnnxModel.load(ModelSettings(path=TINY_MODEL, device="cpu", threads=1, max_tokens=32))


def test_the_end_of_a_long_text_counts(model):
    plain = "Our club meets on Wednesdays in the hall next to the school. " * 20
    end, whole = model.predict([plain + "My parcel never arrived!", plain])
    assert not end.truncated
    assert end.intents != whole.intents


def test_short_texts_beside_a_long_one_keep_their_result(model):
    short = ["my parcel never arrived", "快递到现在还没到"]
    alone = model.predict(short)
    beside = model.predict([short[0], "The hall is next to the school. " * 30, short[1]])
    for one, other in zip(alone, (beside[0], beside[2]), strict=True):
        assert one.intents[0][0] == other.intents[0][0]
        assert one.sentiment == pytest.approx(other.sentiment, abs=1e-4)


def test_words_to_explain_are_those_of_the_whole_text(model):
    text = "The hall is next to the school. " * 30
    assert model.word_segments(text)[-1][1] >= len(text.rstrip()) - 1
