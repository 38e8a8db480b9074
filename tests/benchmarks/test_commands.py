"""The benchmark of quality runs; its results are not asserted."""

from benchmark_runs import run_benchmark
from harness import TINY_MODEL


def test_quality_publishes_every_head_with_its_interval():
    rows, _ = run_benchmark("quality", "--model", TINY_MODEL, "--limit", "4")
    assert {"check_zh: intent macro-F1", "robustness, typos: sentiment consistency"} <= set(rows)
    assert {"OOS: confident wrong intent, own_zh", "language identified, check_en"} <= set(rows)
    for row in rows.values():
        assert row["min"] <= row["max"]
        assert row["unit"] == "%"
