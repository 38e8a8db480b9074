"""`python -m triage.training.risks --model FOLDER --output FOLDER [--data DATA]`: adds a risk head to a finished model.

Only the head is trained, on states that the encoder of the model returns: some forty minutes of one core, without
torch. It is trained twice: without a fifth of the texts, which then choose the thresholds, and on all of them, which
gives the head that is written. The other outputs of the model do not change. `--texts FILE` trains on JSONL with `text`
and `risks` instead of the project's own texts.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from triage.inference.model_files import record_files
from triage.training.data.files import read_json
from triage.training.release.risk_section import write_section
from triage.training.risks.attach import attach_head
from triage.training.risks.background import background_texts, labelled_texts
from triage.training.risks.head import Examples, predict, train_head
from triage.training.risks.states import read_states
from triage.training.risks.texts import RiskText, own_texts, split_groups
from triage.training.risks.thresholds import fit_temperature, fit_threshold
from triage.types import RiskLabel

LABELS = list(RiskLabel)
_RARE = {RiskLabel.SELF_HARM: 2.5, RiskLabel.CHURN_THREAT: 2.5}
_COMMON = 2.0
_VALIDATION = 0.2


def examples_of(folder: Path, texts: list[RiskText], threads: int) -> Examples:
    """Read the hidden states of the texts from the model in `folder`; positive labels weigh more than negative ones."""
    targets, weights = arrays(texts)
    return Examples(read_states(folder, [each.text for each in texts], threads), targets, weights)


def arrays(texts: list[RiskText]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Targets (1: has the risk) and weights [texts, risks]; a weight is 0 where the text has no label for the risk."""
    targets = np.array([[label in each.risks for label in LABELS] for each in texts], np.float32)
    known = np.array([[label in each.known for label in LABELS] for each in texts], np.float32)
    rare = np.array([_RARE.get(label, _COMMON) for label in LABELS], np.float32)
    return targets, known * np.where(targets > 0, rare, 1.0).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(prog="triage.training.risks", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--output", type=Path, required=True, help="new model folder")
    parser.add_argument("--data", type=Path, help="folder with the datasets, whose texts are examples without risk")
    parser.add_argument("--texts", type=Path, help="JSONL with `text` and `risks`; default: the project's own texts")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--version", help="version of the new model; default: the one of the given model")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    console = Console()
    train, validation = split_groups(own_texts(given.texts), _VALIDATION)
    background = labelled_texts() + (background_texts(given.data) if given.data else [])
    held = background[::5]
    others = [text for place, text in enumerate(background) if place % 5]
    sets = [examples_of(given.model, part, given.threads) for part in (train, others) if part]
    tested = [examples_of(given.model, part, given.threads) for part in (validation, held) if part]
    head = train_head(sets, epochs=given.epochs, report=console.print)
    logits = [predict(head, each.states) for each in tested]
    temperature = fit_temperature(logits[0], tested[0].targets)
    thresholds = {
        str(label): fit_threshold(
            [(e[:, k], part.targets[:, k], part.weights[:, k]) for e, part in zip(logits, tested, strict=True)],
            temperature,
        )
        for k, label in enumerate(LABELS)
    }
    # Few texts report each kind of harm, so the ones that chose the thresholds train the head that is kept too.
    head = train_head([*sets, *tested], epochs=given.epochs, report=console.print)
    trained = {
        "own": len(train) + len(validation),
        "background": len(background),
        "validation": scores(logits[0], tested[0].targets, temperature, thresholds),
    }
    fields = manifest_fields(given.model, temperature, thresholds, given.version)
    attach_head(given.model, given.output, head, fields | {"risk_training": trained})
    write_section(given.output, trained, thresholds)
    record_files(given.output)
    console.print(f"{given.output}: thresholds {thresholds}, temperature {temperature}")


def scores(
    logits: NDArray[np.float32], targets: NDArray[np.float32], temperature: float, thresholds: dict[str, float]
) -> dict[str, dict[str, float]]:
    """`recall` and `false_share` (share of the texts without the risk that are reported) by risk.

    `logits` and `targets` are [texts, risks]; `thresholds` are probabilities by risk.
    """
    found = 1 / (1 + np.exp(-logits / temperature)) >= np.array([thresholds[str(label)] for label in LABELS])
    return {
        str(label): {
            "recall": round(float(found[targets[:, k] > 0, k].mean()), 4),
            "false_share": round(float(found[targets[:, k] == 0, k].mean()), 4),
        }
        for k, label in enumerate(LABELS)
    }


def manifest_fields(
    folder: Path, temperature: float, thresholds: dict[str, float], version: str | None = None
) -> dict[str, object]:
    """Fields of a model's manifest that describe the risk head: labels, thresholds, temperature and the version.

    `folder` is the model to which the head is added; `version` None keeps that of this model.
    """
    known = read_json(folder / "manifest.json")
    return {
        "risks": [str(label) for label in LABELS],
        "risk_thresholds": thresholds,
        "version": version or known["version"],
        "temperature": known["temperature"] | {"risks": temperature},
    }


if __name__ == "__main__":
    main()
