"""The benchmark of the engine runs, with torch or without; its results are not asserted."""

from importlib.metadata import PackageNotFoundError, version

from benchmark_runs import run_benchmark
from harness import TINY_MODEL

SIZES = ("--texts", "12", "--slow-texts", "2", "--agreement-texts", "16", "--rounds", "1", "--gemm-seconds", "0.001")


def test_inference_names_every_runtime_and_skipped_contender():
    rows, run = run_benchmark("inference", "--model", TINY_MODEL, *SIZES)
    engines = [row for name, row in rows.items() if name.startswith("triage: ")]
    assert {"triage: ONNX Runtime cpu fp32", "triage: OpenVINO fp32"} <= {
        row["name"].removesuffix(" (default here)") for row in engines
    }
    for row in engines:
        assert row["unit"] == "texts/s"
        assert 0 < row["min"] <= row["median"] <= row["max"]
        assert 0 <= row["labels"] <= 100
        assert 0 < row["fill"] <= 100
    assert {"profile: tokenize", "profile: model", "peak: matrix product in fp32"} <= set(rows)
    assert "skipped: triage: ONNX Runtime cuda fp16" in run.stdout
    assert ("skipped: torch, Hugging Face and optimum" in run.stdout) is not _has_torch()


def _has_torch() -> bool:
    try:
        return bool(version("torch"))
    except PackageNotFoundError:
        return False
