"""`make bench NAME=quality`: every published figure of the served model, on the test texts of the repository.

`median` is the figure on all texts, `min` and `max` its 95 % interval where there is one (1,000 bootstrap resamples).
`ARGS='--data PACKS'` measures the packs too whose texts may not be here; `--limit N` is for trying it out.
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
        for head, figures in heads.items():
            for key in figures.keys() & _NAMES.keys():
                low, high = figures["interval"].get(key, (figures[key], figures[key]))
                resamples = RESAMPLES if key in figures["interval"] else 1
                yield Row(f"{pack}: {head} {_NAMES[key]}", "%", 100 * low, 100 * figures[key], 100 * high, resamples)
    for row in metrics["robustness"]:
        for key in ("original", "perturbed", "consistency"):
            yield Row.of(f"robustness, {row['kind']}: {row['head']} {key}", "%", [100 * row[key]])
    for name, figures in metrics["out_of_scope"].items():
        yield Row.of(f"OOS: confident wrong intent, {name}", "%", [100 * figures["confident_wrong"]])
    for head, entry in metrics["abstention"].items():
        for key in ("coverage", "accuracy_kept", "aurc"):
            yield Row.of(f"abstaining: {head} {key.replace('_', ' ')}", "%", [100 * (entry["all"][key] or 0.0)])
    for name, figures in metrics["language"].items():
        yield Row.of(f"language identified, {name}", "%", [100 * figures["accuracy"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the packs")
    parser.add_argument("--model", type=Path, help="model folder; default: the one that serves")
    parser.add_argument("--limit", type=int, help="at most so many texts a set")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    flags = {"model.path": arguments.model, "model.device": "cpu", "model.threads": arguments.threads}
    settings = load_settings(None, flags).model
    configure_logging("WARNING")
    metrics = evaluate_model(settings, arguments.data, limit=arguments.limit)
    publish("quality", sorted(rows(metrics), key=lambda row: row.name))


if __name__ == "__main__":
    main()
