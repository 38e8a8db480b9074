"""The benchmark of the console runs; its results are not asserted."""

import pytest
from benchmark_runs import run_benchmark
from indices import own_settings, remove

pytestmark = pytest.mark.stack


def test_the_console(stack, prefix):
    rows, _ = run_benchmark(
        "console", "--records", "300", "--days", "2", "--rounds", "1", "--prefix", prefix,
        "--kafka", stack.bootstrap_servers, "--elasticsearch", stack.elasticsearch_url, timeout=900,
    )  # fmt: skip
    remove(own_settings(stack.elasticsearch_url, prefix))
    assert rows["records"]["median"] == 300
    for name in ("Now", "Explore, 7 days", "Review, 7 days", "Record", "Alerts", "CSV, a page of 500"):
        assert rows[name]["median"] > 0
        assert {"again", "first"} <= set(rows[name])
