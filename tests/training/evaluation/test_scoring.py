import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.training.evaluation.scoring import bio_spans, calibration_error, classification_scores, span_scores


def test_classification_by_hand():
    scores = classification_scores([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2], 4)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["macro_recall"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert scores["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)


def test_calibration_error_by_hand():
    assert calibration_error([1.0, 1.0], [True, True]) == 0.0
    assert calibration_error([0.9, 0.9, 0.9, 0.9], [True, True, False, False]) == pytest.approx(0.4)
    assert calibration_error([], []) == 0.0


def test_spans_must_match_exactly():
    gold = [[(0, 2, "person"), (5, 9, "location")], []]
    guess = [[(0, 2, "person"), (5, 8, "location")], [(1, 2, "product")]]
    scores = span_scores(gold, guess)
    assert scores == {"precision": pytest.approx(1 / 3), "recall": pytest.approx(1 / 2), "f1": pytest.approx(2 / 5)}
    assert span_scores([[]], [[]])["f1"] == 0.0


def test_bio_spans_repair_a_stray_i():
    assert bio_spans(["I-a", "I-a", "B-a", "I-b", "O", "I-b"]) == [(0, 2, "a"), (2, 3, "a"), (3, 4, "b"), (5, 6, "b")]


TAGS = st.lists(st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y"]), max_size=12)


@given(TAGS)
def test_bio_spans_cover_every_tagged_token_once(tags):
    covered = [index for start, end, _ in bio_spans(tags) for index in range(start, end)]
    assert covered == [index for index, tag in enumerate(tags) if tag != "O"]
