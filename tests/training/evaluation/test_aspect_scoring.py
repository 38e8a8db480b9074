import numpy as np
import pytest

from triage.training.data.labels import IGNORED
from triage.training.evaluation.aspect_scoring import aspect_scores, predicted_states


def test_scores_count_annotated_pairs():
    gold = [[1, 0, IGNORED], [3, 2, 0]]
    guess = np.array([[1, 1, 3], [1, 2, 0]])
    scores = aspect_scores(gold, guess)
    assert scores["pairs"] == 3
    assert scores["precision"] == pytest.approx(2 / 4)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["f1"] == pytest.approx(4 / 7)
    assert scores["macro_f1"] == pytest.approx((2 / 4 + 2 / 3) / 2)
    assert scores["detection_f1"] == pytest.approx(6 / 7)


def test_an_aspect_above_the_threshold_has_the_most_probable_polarity():
    scores = np.array([[[0.4, 0.1, 0.2, 0.3]], [[0.7, 0.3, 0.0, 0.0]], [[0.0, 1.0, 0.0, 0.0]]])
    assert predicted_states(scores, 0.5).tolist() == [[3], [0], [1]]
    assert predicted_states(scores, 0.2).tolist() == [[3], [1], [1]]
