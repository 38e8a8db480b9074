"""`make bench NAME=quality`: all published metrics of the served model, on the test texts of the repository.

`median` is the metric on all texts, `min` and `max` are its 95 % interval if it has one (1,000 bootstrap resamples).
`ARGS='--data PACKS'` also evaluates the datasets whose texts cannot be in the repository; `--limit N` is for a trial.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import Row, publish
from triage.config import load_settings
from triage.logging import configure_logging
from triage.training.evaluation.bootstrap import RESAMPLES
from triage.training.evaluation.evaluate import evaluate_model

_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "macro_recall": "macro-recall",
    "f1": "F1",
    "ece": "calibration error",
}


def rows(metrics: dict[str, Any]) -> Iterator[Row]:
    for pack, heads in metrics["packs"].items():
        for head, scores in heads.items():
            for key in scores.keys() & _NAMES.keys():
                low, high = scores["interval"].get(key, (scores[key], scores[key]))
                resamples = RESAMPLES if key in scores["interval"] else 1
                yield Row(f"{pack}: {head} {_NAMES[key]}", "%", 100 * low, 100 * scores[key], 100 * high, resamples)
    for row in metrics["robustness"]:
        for key in ("original", "perturbed", "consistency"):
            yield Row.of(f"robustness, {row['kind']}: {row['head']} {key}", "%", [100 * row[key]])
    for name, scores in metrics["out_of_scope"].items():
        yield Row.of(f"OOS: confident wrong intent, {name}", "%", [100 * scores["confident_wrong"]])
    for head, entry in metrics["abstention"].items():
        for key in ("coverage", "accuracy_kept", "aurc"):
            yield Row.of(
                f"selective prediction: {head} {key.replace('_', ' ')}", "%", [100 * (entry["all"][key] or 0.0)]
            )
    for name, scores in metrics["language"].items():
        yield Row.of(f"language identified, {name}", "%", [100 * scores["accuracy"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the datasets")
    parser.add_argument("--model", type=Path, help="model folder; default: the one that serves")
    parser.add_argument("--limit", type=int, help="at most so many texts per set")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    flags = {"model.path": arguments.model, "model.device": "cpu", "model.threads": arguments.threads}
    settings = load_settings(None, flags).model
    configure_logging("WARNING")
    metrics = evaluate_model(settings, arguments.data, limit=arguments.limit)
    publish("quality", sorted(rows(metrics), key=lambda row: row.name))


if __name__ == "__main__":
    main()
