import numpy as np
import pytest

from triage.training.risks.thresholds import fit_temperature, fit_threshold


def test_the_temperature_undoes_a_factor():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4_000, 1)).astype(np.float32)
    targets = (rng.random((4_000, 1)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    assert fit_temperature(2 * logits, targets) == pytest.approx(2, abs=0.15)


def test_the_threshold_lets_few_texts_without_the_risk_pass():
    logits = np.linspace(-7, 2, 1_001).astype(np.float32)
    threshold = fit_threshold([(logits, np.zeros(1_001), np.ones(1_001))], 1.0)
    # The grid of thresholds is as coarse as one percent of these texts.
    assert 0.008 < np.mean(1 / (1 + np.exp(-logits)) >= threshold) <= 0.018


def test_texts_of_unknown_label_do_not_count():
    known = (np.full(100, -5, np.float32), np.zeros(100), np.ones(100))
    unknown = (np.full(100, 5, np.float32), np.zeros(100), np.zeros(100))
    assert fit_threshold([known, unknown], 1.0) == 0.2
