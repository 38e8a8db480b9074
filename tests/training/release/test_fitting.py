"""Fitted temperatures, slopes and thresholds."""

import numpy as np
import pytest

from triage.inference.calibration import probabilities, softmax
from triage.training.release.fitting import (
    MOST_FLAGGED,
    fit_aspects,
    fit_scaling,
    fit_temperature,
    fit_threshold,
    source_weights,
)


def drawn(rng, logits):
    """Labels drawn from softmax(logits)."""
    edges = softmax(logits).cumsum(axis=1)
    return (rng.random((len(logits), 1)) > edges).sum(axis=1)


def test_temperature_and_slopes_are_recovered():
    rng = np.random.default_rng(3)
    texts = 20_000
    true = rng.normal(size=(texts, 3)) * 1.5
    tokens = rng.integers(8, 256, texts)
    chinese = rng.random(texts) < 0.5
    intents = np.eye(4)[rng.integers(0, 4, texts)]
    temperature = 1.5 * (tokens / 32) ** 0.3 * np.exp(0.4 * chinese) * np.exp(intents @ [0.5, -0.5, 0.0, 0.0])
    given = (true * temperature[:, None]).astype(np.float32)
    labels = drawn(rng, true)
    found, scaling = fit_scaling(given, labels, tokens, chinese, np.full(texts, 1 / texts), intents)
    assert scaling.length == pytest.approx(0.3, abs=0.05)
    assert scaling.chinese == pytest.approx(0.4, abs=0.08)
    assert scaling.by_intent[0] - scaling.by_intent[1] == pytest.approx(1.0, abs=0.12)
    scores = probabilities(given, found, scaling, tokens, chinese, intents)
    sure = scores.max(axis=1)
    assert sure.mean() == pytest.approx((scores.argmax(axis=1) == labels).mean(), abs=0.01)


def test_without_evidence_the_temperature_is_constant():
    rng = np.random.default_rng(4)
    true = rng.normal(size=(3_000, 3))
    labels = drawn(rng, true)
    tokens = rng.integers(8, 64, 3_000)
    found, scaling = fit_scaling(
        (2 * true).astype(np.float32), labels, tokens, np.zeros(3_000, bool), np.full(3_000, 1 / 3_000)
    )
    assert found == pytest.approx(2.0, abs=0.3)
    assert scaling.chinese == 0.0
    assert abs(scaling.length) < 0.15
    assert scaling.by_intent == []


def test_the_aspect_threshold_maximizes_f1():
    rng = np.random.default_rng(5)
    states = rng.choice([0, 0, 0, 1, 3], size=(2_000, 2))
    logits = rng.normal(size=(2_000, 2, 4)).astype(np.float32)
    np.put_along_axis(logits, states[..., None], np.take_along_axis(logits, states[..., None], -1) + 3, -1)
    logits[..., 0] += 2.5  # the head predicts absent too often
    temperature, threshold = fit_aspects(logits, states, np.array(["a", "b"] * 1_000))
    assert temperature > 0
    assert threshold < 0.5


def test_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(4_000, 3)) * 2
    powers = np.exp(true)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in powers])
    assert fit_temperature((true * 2.5).astype(np.float32), labels) == pytest.approx(2.5, rel=0.1)


def test_the_threshold_flags_few_and_wrong_texts():
    logits_ = np.zeros((100, 2), np.float32)
    logits_[:, 0] = np.linspace(0.1, 4, 100)
    labels = np.zeros(100, int)
    labels[:5] = 1
    threshold = fit_threshold(logits_, labels)
    confidence = 1 / (1 + np.exp(-logits_[:, 0]))
    flagged = confidence < threshold
    assert flagged[:5].all()
    assert 0.05 < flagged.mean() <= MOST_FLAGGED
    assert fit_threshold(logits_, np.zeros(100, int)) == 0.0


def test_an_easy_dataset_does_not_dominate_the_temperature():
    weights = source_weights(np.array(["easy"] * 900 + ["hard"] * 100))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[:900].sum() == pytest.approx(0.5)
    logits_ = np.tile(np.array([[2.0, 0.0]], np.float32), (1_000, 1))
    labels = np.array([0] * 900 + [0, 1] * 50)
    assert fit_temperature(logits_, labels, weights) > fit_temperature(logits_, labels)
