"""The benchmarks of the pipeline run; their results are not asserted."""

import pytest
from benchmark_runs import run_benchmark
from harness import TINY_MODEL

pytestmark = pytest.mark.stack
# These start several processes: they run with the real stack in CI, not in `make test`.
slow = pytest.mark.real


def rows_of(name, stack, *arguments):
    at = ["--kafka", stack.bootstrap_servers, "--elasticsearch", stack.elasticsearch_url]
    rows, run = run_benchmark(name, *arguments, *at, timeout=900)
    return rows, run.stderr


def test_the_pipe_through_kafka(stack):
    rows, _ = rows_of("pipe", stack, "--rounds", "1", "--records", "300")
    assert rows["Kafka to Kafka, one core"]["median"] > 0
    assert rows["the same without Kafka"]["median"] > 0


@slow
def test_end_to_end_and_unavailable_contenders_are_named(stack):
    rows, errors = rows_of(
        "pipeline", stack, "--contenders", "triage", "demo", "--model", TINY_MODEL, "--records", "200",
        "--demo-records", "3", "--seconds", "1", "--settle", "1", "--timeout", "300",
    )  # fmt: skip
    assert rows["triage"]["median"] > 0
    assert 0 < rows["triage: latency at 70% load, p50"]["median"] <= rows["triage: latency at 70% load, p99"]["median"]
    if "typical demo" not in rows:
        assert "left out: typical demo" in errors
        assert "transformers" in errors


@slow
def test_scaling(stack):
    rows, _ = rows_of(
        "scaling", stack, "--processes", "1", "--model", TINY_MODEL, "--records", "100", "--rounds", "1",
        "--settle", "1", "--timeout", "300",
    )  # fmt: skip
    assert rows["1 processes, a core each"]["median"] > 0
    assert rows["texts of 12,800 characters"]["median"] > rows["texts of 50 characters"]["median"]
    assert "100,000 brands, products and regions" in rows
