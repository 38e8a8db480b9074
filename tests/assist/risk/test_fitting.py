"""Fits on invented records whose outcome is known."""

import numpy as np
import pytest
from records import AT_MS, enriched
from risks import HOUR_MS, defined, examples, fitted, records

from triage.assist.risk.card import card_text
from triage.assist.risk.evaluation import evaluate, unseen
from triage.assist.risk.fitting import card_of, fit_model, split_by_time
from triage.assist.risk.measures import auc_interval, calibration_error, class_shares, stability_index
from triage.assist.risk.regression import apply, calibrate, fit_weights, isotonic, platt
from triage.errors import ConfigError
from triage.risk.model import NOTICE


def test_it_finds_what_decides_and_is_calibrated():
    test = card_of(fitted()).test
    assert test.auc > 0.8
    assert test.ece < 0.12
    assert test.brier < test.brier_of_base_rate
    assert test.levels["high"].precision > 0.6


def test_scores_of_the_file_are_those_of_the_fit():
    model, part = fitted(), split_by_time(examples(), 0).test
    scores = np.array([model.probability(each.record, each.history) for each in part])
    auc, _, _ = auc_interval(scores, np.array([each.happened for each in part], float))
    assert auc == pytest.approx(card_of(model).test.auc, abs=1e-3)


def test_a_fit_is_refused_below_200_outcomes():
    few = examples(records(300))
    with pytest.raises(ConfigError, match="at least 200 are needed"):
        fit_model(defined(), split_by_time(few, 0), AT_MS)


def test_a_part_without_the_outcome_is_refused():
    ordered = sorted(examples(), key=lambda each: (not each.happened, each.at_ms))
    for place, each in enumerate(ordered):
        object.__setattr__(each, "at_ms", place)
    with pytest.raises(ConfigError, match="part has"):
        fit_model(defined(), split_by_time(ordered, 0), AT_MS)


def test_parts_are_in_order_of_time_and_windows_do_not_reach_into_the_next():
    found = examples()
    splits = split_by_time(found, 24 * HOUR_MS)
    assert len(splits.test) == len(found) // 5
    assert max(each.at_ms for each in splits.train) + 24 * HOUR_MS < min(each.at_ms for each in splits.validation)
    assert max(each.at_ms for each in splits.validation) + 24 * HOUR_MS < min(each.at_ms for each in splits.test)


def test_the_card_says_what_it_is_and_is_not():
    text = card_text(fitted())
    assert NOTICE in text
    for part in ("## Definition", "attribute: closed", "| AUC |", "| high |", "## Drift", "attributes.issue"):
        assert part in text


def test_records_of_the_fit_are_not_evaluated_again():
    assert unseen(fitted(), examples()) == []
    with pytest.raises(ConfigError, match="older than the end of the fit"):
        evaluate(fitted(), [], 900)


def test_drift_is_noticed():
    same = evaluate(fitted(), examples(records(300, seed=2)))
    assert not [note for note in same.notes if "distribution" in note]
    assert same.measures.auc > 0.8
    others = examples(records(300, seed=3, rate=0.2))
    for each in others:
        each.record.text = "refund broken lawyer"
        each.record.versions.model = "m@2"
    moved = evaluate(fitted(), others)
    notes = " ".join(moved.notes)
    assert "the distribution of scores has changed" in notes
    assert "enriched by m@2" in notes


def test_the_regression_meets_its_conditions():
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(1)
    rows = csr_matrix(random.normal(size=(200, 3)))
    truth = (rows @ np.array([2.0, -1.0, 0.0]) + random.normal(size=200) > 0).astype(float)
    weights, bias = fit_weights(rows, truth, 1.0)
    gradient = rows.T @ (1 / (1 + np.exp(-(rows @ weights + bias))) - truth) + weights
    assert np.abs(gradient).max() < 0.5
    assert weights[0] > 1
    assert abs(weights[2]) < 0.5
    assert weights[1] < 0


@pytest.mark.parametrize("method", [platt, isotonic])
def test_calibrations_rise_and_stay_off_0_and_1(method):
    random = np.random.default_rng(2)
    scores = random.normal(size=500)
    truth = (random.random(500) < 1 / (1 + np.exp(-2 * scores))).astype(float)
    found = apply(method(scores, truth), np.linspace(-20, 20, 200))
    assert (np.diff(found) >= 0).all()
    assert 0 < found[0] < found[-1] < 1
    assert calibration_error(apply(method(scores, truth), scores), truth) < 0.06


def test_the_calibration_with_less_log_loss_is_chosen():
    random = np.random.default_rng(3)
    scores = random.normal(size=400)
    name, _, losses = calibrate(scores, (random.random(400) < 1 / (1 + np.exp(-scores))).astype(float))
    assert losses[name] == min(losses.values())


def test_measures():
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    assert auc_interval(np.array([0.1, 0.2, 0.3, 0.4]), truth)[0] == 1.0
    assert auc_interval(np.array([0.1, 0.1, 0.1, 0.1]), truth)[0] == 0.5
    assert calibration_error(np.array([0.05, 0.05, 0.95, 0.95]), truth) == pytest.approx(0.05)
    limits = [n / 10 for n in range(1, 10)]
    even = np.linspace(0.05, 0.95, 10)
    assert stability_index(limits, class_shares(limits, even), even) == 0
    assert stability_index(limits, class_shares(limits, even), np.full(10, 0.95)) > 1


def test_a_value_of_few_records_is_no_feature():
    found = records()
    found[0].product = "Anna Example"
    model = fit_model(defined(), split_by_time(examples(found), 0), AT_MS)
    assert "product=Anna Example" not in model.header.labels
    assert model.score(enriched(product="Anna Example")).probability > 0
