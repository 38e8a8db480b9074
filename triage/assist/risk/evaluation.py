"""Evaluates a fitted risk model on newer records, and compares their scores with those it was fitted on."""

from collections.abc import Sequence

import msgspec
import numpy as np

from triage.assist.risk.fitting import card_of
from triage.assist.risk.labelling import Example
from triage.assist.risk.measures import DRIFT_NOTED, Measures, class_shares, measure, stability_index
from triage.clock import parse_rfc3339
from triage.errors import ConfigError
from triage.risk.model import NOTICE, RiskModel

_MIN_POSITIVES = 20


class Evaluation(msgspec.Struct, kw_only=True):
    """Results of a risk model on records that its fit has not seen; `seen` is the number of other records, left out.

    `stability` is the population stability index of the probabilities against those of the validation part, `shares`
    [10] are the shares of records in the tenths of the latter. `notes` name what has changed, in sentences.
    """

    name: str
    version: str
    notice: str
    measures: Measures
    stability: float
    base_rate: float
    base_rate_at_fit: float
    shares: list[float]
    notes: list[str]
    seen: int


def unseen(model: RiskModel, examples: Sequence[Example]) -> list[Example]:
    """The examples after the last record of `model`'s fit: of its training, validation and test parts."""
    end = max(parse_rfc3339(times[1]) for times in card_of(model).times.values())
    return [each for each in examples if each.at_ms > end]


def evaluate(model: RiskModel, examples: Sequence[Example], seen: int = 0) -> Evaluation:
    """Measure a model on examples; `seen` of the records were left out because the fit knew them.

    Raises ConfigError with fewer than 20 records with the outcome, or without it.
    """
    truth = np.array([each.happened for each in examples], np.float64)
    fewest = min(int(truth.sum()), len(truth) - int(truth.sum()))
    if fewest < _MIN_POSITIVES:
        raise ConfigError(
            f"{len(truth)} records to evaluate on, {int(truth.sum())} with the outcome; at least {_MIN_POSITIVES} with "
            f"and without it are needed. {seen} were left out as older than the end of the fit (--all takes them, too)"
        )
    found = np.array([model.probability(each.record, each.history) for each in examples])
    card = card_of(model)
    measures = measure(found, truth, model.header.levels)
    stability = stability_index(card.deciles, card.shares, found)
    return Evaluation(
        name=model.name,
        version=model.version,
        notice=NOTICE,
        measures=measures,
        stability=stability,
        base_rate=float(truth.mean()),
        base_rate_at_fit=card.base_rate,
        shares=class_shares(card.deciles, found),
        notes=list(_notes(model, examples, measures, stability)),
        seen=seen,
    )


def _notes(model: RiskModel, examples: Sequence[Example], measures: Measures, stability: float) -> list[str]:
    card = card_of(model)
    notes = []
    if stability > DRIFT_NOTED:
        notes.append(f"the distribution of scores has changed (index {stability:.2f}, above {DRIFT_NOTED}): fit again")
    if measures.auc_high < card.test.auc_low:
        notes.append(f"AUC fell from {card.test.auc:.3f} to {measures.auc:.3f}, more than chance explains: fit again")
    rate = measures.positives / measures.records
    if measures.ece > max(0.05, 2 * card.test.ece):
        notes.append(
            f"probabilities are off by {measures.ece:.3f} on average; the outcome happened for {rate:.1%} of records, "
            f"{card.base_rate:.1%} at the fit: fit again"
        )
    others = sorted({each.record.versions.model for each in examples} - set(card.models))
    if others:
        notes.append(f"records were enriched by {', '.join(others)}, the fit knew {', '.join(card.models)}")
    return notes
