import numpy as np
import pytest

from triage.training.evaluation.bootstrap import calibration_interval, label_intervals, span_interval
from triage.training.evaluation.scoring import calibration_error, classification_scores, confusion


def sample(count=400, seed=0):
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 3, count)
    predicted = np.where(rng.random(count) < 0.8, gold, rng.integers(0, 3, count))
    return gold, predicted, rng.uniform(0.4, 1.0, count)


def by_hand(values):
    return tuple(np.percentile(values, (2.5, 97.5)))


def test_sampling_cells_equals_sampling_texts():
    gold, predicted, _ = sample()
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, len(gold), len(gold)) for _ in range(1_000)]
    expected = by_hand([classification_scores(gold[d], predicted[d], 3)["macro_f1"] for d in drawn])
    found = label_intervals(confusion(gold, predicted, 3))
    assert found["macro_f1"] == pytest.approx(expected, abs=0.01)
    point = classification_scores(gold, predicted, 3)
    for name, (low, high) in found.items():
        assert low < point[name] < high


def test_the_interval_of_the_calibration_error():
    gold, predicted, confidence = sample()
    correct = gold == predicted
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, len(gold), len(gold)) for _ in range(1_000)]
    expected = by_hand([calibration_error(confidence[d], correct[d]) for d in drawn])
    assert calibration_interval(confidence, correct) == pytest.approx(expected, abs=0.01)


def test_the_interval_of_spans_narrows_with_more_texts():
    counts = np.array([(1, 1, 1), (0, 1, 1), (1, 2, 1), (0, 0, 1)])
    low, high = span_interval(counts)
    few = high - low
    low, high = span_interval(np.tile(counts, (50, 1)))
    assert low < 4 / 8.0 < high
    assert high - low < few / 3


def test_the_same_texts_give_the_same_interval():
    matrix = np.array([[8, 2], [1, 9]])
    assert label_intervals(matrix) == label_intervals(matrix)
    assert label_intervals(np.array([[5, 0], [0, 5]]))["accuracy"] == (1.0, 1.0)
