"""What two looks at a process' metrics tell."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from triage.fleet.exposition import grown, increase, merged, parse, quantile
from triage.metrics import Metrics


def samples(metrics):
    return parse(generate_latest(metrics.registry).decode())


def test_values_are_summed_over_the_labels_that_are_left_open():
    metrics = Metrics()
    metrics.records_dead_lettered.labels("decode", "not_json").inc(2)
    metrics.records_dead_lettered.labels("validate", "empty_text").inc(3)
    found = samples(metrics)
    assert found.value("records_dead_lettered_total") == 5
    assert found.value("records_dead_lettered_total", stage="decode") == 2
    assert found.by("records_dead_lettered_total", "reason") == {"not_json": 2, "empty_text": 3}
    assert found.value("no_such_metric") == 0


def test_labels_of_an_info_metric_are_those_in_force():
    metrics = Metrics()
    for version, on in (("a@1", 0), ("a@2", 1)):
        metrics.model_info.labels(version, "1", "r", "cpu", "onnxruntime", "fp32").set(on)
    assert [labels["model"] for labels in samples(metrics).labels("model_info")] == ["a@2"]


def test_quantiles_of_what_came_between_two_looks():
    metrics = Metrics()
    metrics.stage_seconds.labels("enrich").observe(50)
    before = samples(metrics).buckets("stage_seconds", stage="enrich")
    for seconds in (0.02, 0.02, 0.02, 0.2):
        metrics.stage_seconds.labels("enrich").observe(seconds)
    between = grown(before, samples(metrics).buckets("stage_seconds", stage="enrich"))
    assert between[math.inf] == 4
    assert 0.01 < quantile(0.5, between) <= 0.025
    assert 0.1 < quantile(0.95, between) <= 0.25


def test_a_process_that_began_anew_counts_from_zero():
    assert increase(100, 7) == 7
    assert increase(5, 7) == 2
    assert grown({1.0: 50, math.inf: 60}, {1.0: 2, math.inf: 3}) == {1.0: 2, math.inf: 3}


def test_without_observations_there_is_no_quantile():
    assert quantile(0.5, {}) is None
    assert quantile(0.5, {1.0: 0, math.inf: 0}) is None


def test_what_is_beyond_the_last_bound_is_told_as_that_bound():
    assert quantile(0.5, {1.0: 0, 60.0: 0, math.inf: 4}) == 60


def test_histograms_of_several_processes_are_one():
    assert merged([{1.0: 1, math.inf: 2}, {1.0: 3, math.inf: 3}]) == {1.0: 4, math.inf: 5}


@given(st.lists(st.floats(0.001, 50), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bucket_of_the_observation_it_stands_for(observed, share):
    bounds = [0.01, 0.1, 1.0, 10.0, 60.0, math.inf]
    buckets = {bound: float(sum(value <= bound for value in observed)) for bound in bounds}
    found = quantile(share, buckets)
    rank = math.ceil(share * len(observed) - 1e-9)
    exact = sorted(observed)[max(0, rank - 1)]
    bucket = next(at for at, bound in enumerate(bounds) if exact <= bound)
    lower = bounds[bucket - 1] if bucket else 0.0
    assert lower <= found <= bounds[bucket]


@pytest.mark.parametrize("text", ["<html></html>", "triage_lag{ 3"])
def test_what_is_no_exposition_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)
