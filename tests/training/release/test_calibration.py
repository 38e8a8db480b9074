"""Temperatures with slopes, and the threshold of aspects (need torch and scipy)."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")
pytestmark = pytest.mark.training


def drawn(rng, logits):
    """Labels drawn from softmax(logits)."""
    from triage.inference.calibration import softmax

    edges = softmax(logits).cumsum(axis=1)
    return (rng.random((len(logits), 1)) > edges).sum(axis=1)


def test_temperature_and_slopes_are_recovered():
    from triage.inference.calibration import probabilities
    from triage.training.release.fitting import fit_scaling

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
    from triage.training.release.fitting import fit_scaling

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
    from triage.training.release.fitting import fit_aspects

    rng = np.random.default_rng(5)
    states = rng.choice([0, 0, 0, 1, 3], size=(2_000, 2))
    logits = rng.normal(size=(2_000, 2, 4)).astype(np.float32)
    np.put_along_axis(logits, states[..., None], np.take_along_axis(logits, states[..., None], -1) + 3, -1)
    logits[..., 0] += 2.5  # the head predicts absent too often
    temperature, threshold = fit_aspects(logits, states, np.array(["a", "b"] * 1_000))
    assert temperature > 0
    assert threshold < 0.5
