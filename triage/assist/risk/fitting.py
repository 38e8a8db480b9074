"""Fits a risk model: features as a sparse matrix, splits by time, penalty and calibration chosen on validation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit

from triage.assist.risk.definition import Definition
from triage.assist.risk.labelling import Example
from triage.assist.risk.measures import Measures, auc_interval, class_shares, measure, score_deciles
from triage.assist.risk.regression import apply, best_strength, calibrate, fit_weights
from triage.clock import rfc3339
from triage.errors import ConfigError
from triage.risk.features import BITS, NUMERIC, bucket_of, label_features, term_counts
from triage.risk.model import FORMAT, RiskHeader, RiskModel

MIN_POSITIVES = 200
_MIN_PER_SPLIT = 20
_SHARES = (0.6, 0.2)
_STRENGTHS = (0.3, 1.0, 3.0, 10.0)
_MIN_DOCUMENTS = 2
_MIN_LABELS = 5
"""Records that a label needs: a rarer value could name a person."""


@dataclass(frozen=True)
class Splits:
    """Examples for weights (`train`), for penalty and calibration (`validation`), and for measuring (`test`).

    `split_by_time` puts the oldest into `train`, the newest into `test`.
    """

    train: Sequence[Example]
    validation: Sequence[Example]
    test: Sequence[Example]


class Card(msgspec.Struct, kw_only=True):
    """Facts and results that the file of a fitted risk model carries.

    `records` and `positives` (those with the outcome) are by part (train, validation, test), `times` the first and
    last event time of each. `deciles` [9] limit the tenths of the probabilities of the validation part, `shares` [10]
    are the shares in them. `strongest` are the named features (not words) with the largest weights.
    """

    fitted_at: str
    records: dict[str, int]
    positives: dict[str, int]
    times: dict[str, list[str]]
    strength: float
    calibration: str
    calibration_log_loss: dict[str, float]
    test: Measures
    auc_of_words_alone: float
    deciles: list[float]
    shares: list[float]
    base_rate: float
    strongest: list[tuple[str, float]]
    models: list[str]


def split_by_time(examples: Sequence[Example], window_ms: int) -> Splits:
    """The oldest 60 % of the examples for weights, the next 20 % for validation, the newest 20 % for the test.

    `window_ms` is the time after a record in which its outcome shows. An example whose window reaches into the next
    part is dropped: its label was not known when that part began.
    """
    ordered = sorted(examples, key=lambda each: each.at_ms)
    first = int(len(ordered) * _SHARES[0])
    second = int(len(ordered) * sum(_SHARES))
    parts = [ordered[:first], ordered[first:second], ordered[second:]]
    for part, following in pairwise(parts):
        if following and window_ms:
            part[:] = [each for each in part if each.at_ms + window_ms < following[0].at_ms]
    return Splits(*parts)


def require_enough(splits: Splits, positives: int) -> None:
    """Raise ConfigError if there are too few examples with the outcome, or without it, to fit and to measure.

    `positives` is the number with the outcome in all parts together.
    """
    if positives < MIN_POSITIVES:
        raise ConfigError(
            f"the outcome happened for {positives} records; at least {MIN_POSITIVES} are needed: widen --days, or "
            "define an outcome that happens more often"
        )
    for name in ("train", "validation", "test"):
        part = getattr(splits, name)
        happened = sum(each.happened for each in part)
        if min(happened, len(part) - happened) < _MIN_PER_SPLIT:
            raise ConfigError(
                f"the {name} part has {happened} records with the outcome and {len(part) - happened} without; each "
                f"needs {_MIN_PER_SPLIT}: the outcome must happen over the whole time, and its window be shorter"
            )


class Vectorizer:
    """Turns examples into the columns of a risk model: TF-IDF of hashed terms (L2 norm 1), then the named features.

    The terms are those that occur in enough of `examples`.
    """

    def __init__(self, definition: Definition, examples: Sequence[Example]) -> None:
        self._definition = definition
        self._known: dict[int, Counter[int]] = {}
        terms: Counter[int] = Counter()
        labels: Counter[str] = Counter()
        for example in examples:
            terms.update(self._buckets(example))
            labels.update(self._labels(example).keys())
        self.buckets = np.array(sorted(b for b, n in terms.items() if n >= _MIN_DOCUMENTS), np.int64)
        documents = np.array([terms[int(bucket)] for bucket in self.buckets], np.float64)
        self.idf = (np.log((1 + len(examples)) / (1 + documents)) + 1).astype(np.float32)
        self.labels = sorted(name for name, n in labels.items() if n >= _MIN_LABELS)
        self._place = {int(bucket): number for number, bucket in enumerate(self.buckets)}
        self._column = {name: number for number, name in enumerate(self.labels)}

    def rows(self, examples: Sequence[Example]) -> csr_matrix:
        """Matrix [examples, terms + named features] of the examples."""
        return hstack([self.words(examples), self.named(examples)], format="csr")

    def words(self, examples: Sequence[Example]) -> csr_matrix:
        return _matrix([self._word_values(example) for example in examples], len(self.buckets))

    def named(self, examples: Sequence[Example]) -> csr_matrix:
        rows = [
            {self._column[name]: value for name, value in self._labels(each).items() if name in self._column}
            for each in examples
        ]
        return _matrix(rows, len(self.labels))

    def _buckets(self, example: Example) -> Counter[int]:
        # Each text is read twice, to count and to weigh.
        if (known := self._known.get(id(example))) is not None:
            return known
        found = self._known[id(example)] = Counter()
        if "text" in self._definition.features:
            for term, count in term_counts(example.record).items():
                found[bucket_of(term)] += count
        return found

    def _labels(self, example: Example) -> dict[str, float]:
        return label_features(example.record, self._definition.features, self._definition.attributes, example.history)

    def _word_values(self, example: Example) -> dict[int, float]:
        values = {
            place: (1 + log(count)) * float(self.idf[place])
            for bucket, count in self._buckets(example).items()
            if (place := self._place.get(bucket)) is not None
        }
        length = sum(value * value for value in values.values()) ** 0.5
        return {place: value / length for place, value in values.items()}


def _matrix(rows: Sequence[Mapping[int, float]], columns: int) -> csr_matrix:
    pointers = np.cumsum([0, *(len(row) for row in rows)])
    indices = np.fromiter((column for row in rows for column in row), np.int64, int(pointers[-1]))
    values = np.fromiter((value for row in rows for value in row.values()), np.float64, int(pointers[-1]))
    return csr_matrix((values, indices, pointers), shape=(len(rows), columns))


def fit_model(
    definition: Definition, splits: Splits, now_ms: int, progress: Callable[[str], None] = lambda _: None
) -> RiskModel:
    """Fit weights on the train part, choose penalty and calibration on validation, and measure on the test part once.

    `now_ms` is the time of the fit; `progress` is called with a line of text. Raises ConfigError if a part has too
    few examples.
    """
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    require_enough(splits, sum(each.happened for part in parts.values() for each in part))
    vectorizer = Vectorizer(definition, splits.train)
    truth = {name: _truth(part) for name, part in parts.items()}
    rows = {name: vectorizer.rows(part) for name, part in parts.items()}
    progress(f"{rows['train'].shape[0]:,} records, {len(vectorizer.buckets):,} terms, {len(vectorizer.labels)} labels")
    strength, weights, bias = best_strength(
        rows["train"], truth["train"], rows["validation"], truth["validation"], _STRENGTHS
    )
    scores = {name: rows[name] @ weights + bias for name in rows}
    calibration, points, losses = calibrate(scores["validation"], truth["validation"])
    probabilities = {name: apply(points, scores[name]) for name in scores}
    levels = {
        name: float(np.quantile(probabilities["validation"], 1 - share)) for name, share in definition.levels.items()
    }
    deciles = score_deciles(probabilities["validation"])
    count = len(vectorizer.buckets)
    named = list(zip(vectorizer.labels, weights[count:], strict=True))
    card = Card(
        fitted_at=rfc3339(now_ms),
        records={name: len(part) for name, part in parts.items()},
        positives={name: int(values.sum()) for name, values in truth.items()},
        times={name: [rfc3339(min(_times(part))), rfc3339(max(_times(part)))] for name, part in parts.items()},
        strength=strength,
        calibration=calibration,
        calibration_log_loss=losses,
        test=measure(probabilities["test"], truth["test"], levels),
        auc_of_words_alone=_words_alone(vectorizer, rows, truth, strength),
        deciles=deciles,
        shares=class_shares(deciles, probabilities["validation"]),
        base_rate=float(truth["validation"].mean()),
        strongest=[
            (name, round(float(weight), 2)) for name, weight in sorted(named, key=lambda pair: -abs(pair[1]))[:20]
        ],
        models=sorted({each.record.versions.model for each in splits.train}),
    )
    header = RiskHeader(
        format=FORMAT,
        name=definition.name,
        definition=dict(definition.source),
        features=list(definition.features),
        attributes=list(definition.attributes),
        bits=BITS,
        labels=vectorizer.labels,
        bias=bias,
        calibration=calibration,
        levels=levels,
        card=msgspec.to_builtins(card),
        numeric=[name for name in NUMERIC if name in vectorizer.labels],
    )
    return RiskModel(
        header,
        vectorizer.buckets,
        vectorizer.idf,
        weights[:count].astype(np.float32),
        weights[count:].astype(np.float32),
        np.asarray(rows["train"][:, count:].mean(axis=0), np.float32).ravel(),
        *points,
    )


def card_of(model: RiskModel) -> Card:
    """The card of a fitted model. Raises ConfigError if the file has none that this version can read."""
    try:
        return msgspec.convert(model.header.card, type=Card)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the card of {model.name} cannot be read: {error}; fit it again") from error


def _words_alone(
    vectorizer: Vectorizer, rows: Mapping[str, csr_matrix], truth: Mapping[str, Any], strength: float
) -> float:
    """Baseline: AUC on the test part of the same regression over the words alone."""
    count = len(vectorizer.buckets)
    if not count:
        return 0.5
    words = {name: matrix[:, :count] for name, matrix in rows.items()}
    weights, bias = fit_weights(words["train"], truth["train"], strength)
    return auc_interval(expit(words["test"] @ weights + bias), truth["test"])[0]


def _truth(examples: Sequence[Example]) -> NDArray[np.float64]:
    return np.array([each.happened for each in examples], np.float64)


def _times(examples: Sequence[Example]) -> list[int]:
    return [each.at_ms for each in examples]
