"""Own intents: fitted from a few examples, kept without their texts, found in other texts."""

import numpy as np
import pytest
from small_encoder import SmallEncoder

from triage.assist.own_intents.fitting import evaluate, fit_intent
from triage.assist.own_intents.head import empty_head, read_head, write_head
from triage.assist.own_intents.reading import read_texts
from triage.errors import ConfigError

ENCODER = SmallEncoder()
EXAMPLES = [f"gift card balance {word}" for word in ("empty", "wrong", "missing", "lost", "zero", "gone", "old", "new")]
OTHERS = [f"parcel {number} arrived {number % 7} late at depot{number % 5}" for number in range(300)]
AT = "2026-11-30T00:00:00.000Z"


@pytest.fixture
def others():
    return ENCODER.encode_questions(OTHERS)


@pytest.fixture
def head(others):
    head = empty_head(ENCODER.version, others)
    fit = fit_intent("gift_card", ENCODER.encode_questions(EXAMPLES), others, head, AT)
    assert fit.doubts == ()
    return head.with_intent(fit.added, fit.centroid)


def test_new_texts_of_the_intent_are_found_and_others_are_not(head):
    texts = ["my gift card balance vanished", "parcel 900 arrived late", "kettle exploded"]
    found = head.match(ENCODER.encode_questions(texts))
    assert [[own.label for own in each] for each in found] == [["gift_card"], [], []]
    assert found[0][0].margin > 0


def test_few_other_texts_reach_the_limit(head):
    (added,) = head.intents
    assert added.captured <= 0.01
    assert added.resemblance >= 0.5
    assert (added.examples, added.others) == (8, 300)


def test_the_file_keeps_the_head_and_no_text(head, tmp_path):
    path = tmp_path / "folder" / "own.npz"
    write_head(head, path)
    again = read_head(path, ENCODER.version)
    assert again.intents == head.intents
    assert np.array_equal(again.centroids, head.centroids)
    assert again.version
    assert b"balance" not in path.read_bytes()
    assert again.without("gift_card").intents == ()
    assert again.without("gift_card").match(np.ones((2, ENCODER.dimensions), np.float32)) == [[], []]


def test_no_file_is_no_head_and_another_encoder_is_refused(head, tmp_path):
    path = tmp_path / "own.npz"
    assert read_head(path, ENCODER.version) is None
    write_head(head, path)
    with pytest.raises(ConfigError, match="vectors of two encoders cannot be compared"):
        read_head(path, "small@2")
    path.write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="is not a file of own intents"):
        read_head(path, ENCODER.version)


def test_adding_again_replaces(head, others):
    fit = fit_intent("gift_card", ENCODER.encode_questions(EXAMPLES[:6]), others, head, AT)
    again = head.with_intent(fit.added, fit.centroid)
    assert [each.examples for each in again.intents] == [6]


def test_too_few_texts_are_refused(head, others):
    with pytest.raises(ConfigError, match="4 different examples; at least 5"):
        fit_intent("x", ENCODER.encode_questions(EXAMPLES[:4]), others, head, AT)
    with pytest.raises(ConfigError, match="20 other texts; at least 200"):
        fit_intent("x", ENCODER.encode_questions(EXAMPLES), others[:20], head, AT)


def test_examples_like_all_other_texts_are_doubted(head, others):
    fit = fit_intent("late", ENCODER.encode_questions(OTHERS[:8]), others, head, AT)
    assert "too common" in fit.doubts[0]


def test_an_intent_like_another_is_doubted(head, others):
    fit = fit_intent("card", ENCODER.encode_questions(EXAMPLES), others, head, AT)
    assert any("resembles gift_card" in doubt for doubt in fit.doubts)


def test_recall_and_captured_texts_are_measured(head):
    texts = ["gift card balance today", "gift card balance never", "parcel 7 arrived"]
    (found,) = evaluate(head, ENCODER.encode_questions(texts), ["gift_card", "gift_card", "delivery"])
    assert (found.texts, found.found, found.others, found.captured) == (2, 2, 1, 0)
    assert found.recall[0] == 1


def test_texts_are_read_once_each(tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text('Where is it?\n\n{"text": "Gift card", "label": "gift"}\nwhere  is IT?\n', "utf-8")
    assert [(row.text, row.label) for row in read_texts(path)] == [("Where is it?", ""), ("Gift card", "gift")]
    path.write_text('{"txt": "Gift card"}\n', "utf-8")
    with pytest.raises(ConfigError, match="line 1"):
        read_texts(path)
