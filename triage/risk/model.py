"""A fitted risk model: its file, and the probability and level that it gives a record. numpy is enough to use it."""

import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.errors import ConfigError
from triage.paths import replace_file
from triage.risk.features import BITS, HISTORY, NO_HISTORY, History, bucket_of, label_features, term_counts
from triage.schemas.enriched import EnrichedRecord, RiskScore
from triage.schemas.explanation import RiskExplanation, RiskReason

NOTICE = "An estimate for the order of work. Never decide about a person by it: docs/risk.md"
FORMAT = 1
Level = Literal["low", "medium", "high"]
_ARRAYS = ("buckets", "idf", "weights", "labels", "means", "xs", "ys")
_DIGITS = 4


class RiskHeader(msgspec.Struct, kw_only=True):
    """All of a fitted file but its arrays. `levels` are lower limits of the probability; `definition` is the YAML's."""

    format: int
    name: str
    definition: dict[str, Any]
    features: list[str]
    attributes: list[str]
    bits: int
    labels: list[str]
    bias: float
    calibration: str
    levels: dict[str, float]
    card: dict[str, Any]
    numeric: list[str] = []
    """Names of features that are numbers: their reasons are told against the average record."""


@dataclass(frozen=True)
class RiskModel:
    """A fitted model. Thread-safe.

    Arrays: `buckets` (sorted), `idf` and `weights` [terms]; `labels` and `means` [named features]; `xs` and `ys`
    [points] of the line that maps log-odds to probabilities.
    """

    header: RiskHeader
    buckets: NDArray[np.int64]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    labels: NDArray[np.float32]
    means: NDArray[np.float32]
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    version: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def needs_history(self) -> bool:
        """True if it weighs the author's past records, which only the index has."""
        return HISTORY in self.header.features

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.header.labels)}

    @cached_property
    def _places(self) -> dict[int, int]:
        return {int(bucket): number for number, bucket in enumerate(self.buckets)}

    def probability(self, record: EnrichedRecord, history: History = NO_HISTORY) -> float:
        """Calibrated probability of the outcome, 0 to 1."""
        return self.calibrated(sum(weight for _, weight in self._parts(record, history)) + self.header.bias)

    def calibrated(self, log_odds: float) -> float:
        """The probability of uncalibrated log-odds."""
        return float(np.interp(log_odds, self.xs, self.ys))

    def level(self, probability: float) -> Level:
        """The level of a probability."""
        for name in ("high", "medium"):
            if probability >= self.header.levels[name]:
                return name
        return "low"

    def score(self, record: EnrichedRecord, history: History = NO_HISTORY) -> RiskScore:
        """The score as stored in the record."""
        probability = self.probability(record, history)
        level = self.level(probability)
        return RiskScore(self.name, round(probability, _DIGITS), level, f"{self.name}:{level}", self.version)

    def reasons(self, record: EnrichedRecord, history: History = NO_HISTORY, number: int = 8) -> list[RiskReason]:
        """The terms and features that move the score most, strongest first."""
        centred = {name: weight - self._usual(name) for name, weight in self._parts(record, history)}
        strongest = sorted(centred, key=lambda name: -abs(centred[name]))
        return [RiskReason(name, round(centred[name], 3)) for name in strongest[:number] if round(centred[name], 3)]

    def explain(self, record: EnrichedRecord) -> RiskExplanation:
        """Probability and reasons, without the author's past records."""
        return RiskExplanation(self.name, round(self.probability(record), _DIGITS), self.reasons(record), NOTICE)

    def _usual(self, name: str) -> float:
        """The part of a number in the log-odds of the average record; 0 for terms and labels."""
        if name not in self.header.numeric:
            return 0.0
        column = self._columns[name]
        return float(self.labels[column] * self.means[column])

    def _parts(self, record: EnrichedRecord, history: History) -> list[tuple[str, float]]:
        """Each term or feature with its part of the log-odds."""
        parts = self._words(record) if "text" in self.header.features else []
        named = label_features(record, self.header.features, self.header.attributes, history)
        for name, value in named.items():
            if (column := self._columns.get(name)) is not None:
                parts.append((name, value * float(self.labels[column])))
        return parts

    def _words(self, record: EnrichedRecord) -> list[tuple[str, float]]:
        by_place: dict[int, tuple[str, int]] = {}
        for term, count in term_counts(record).items():
            if (place := self._places.get(bucket_of(term))) is not None:
                known = by_place.get(place)
                by_place[place] = (known[0], known[1] + count) if known else (term, count)
        if not by_place:
            return []
        places = np.fromiter(by_place, np.int64, len(by_place))
        values = np.array([1 + math.log(count) for _, count in by_place.values()]) * self.idf[places]
        parts = values / np.sqrt(values @ values) * self.weights[places]
        return [(f"“{term}”", float(part)) for (term, _), part in zip(by_place.values(), parts, strict=True)]


def write_model(model: RiskModel, path: Path) -> None:
    """Write the file, which `read_model` reads; an interrupted write leaves the old one. Raises OSError."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(model, name) for name in _ARRAYS}
    header = np.frombuffer(msgspec.json.encode(model.header), np.uint8)
    np.savez_compressed(content, header=header, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content.getvalue())


def read_model(path: Path) -> RiskModel:
    """Read a file of `write_model`. Raises ConfigError for a file that is missing, damaged or of another version."""
    fix = "make one with `triage risk fit`"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}; {fix}", where=str(path)) from error
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            header = msgspec.json.decode(stored["header"].tobytes(), type=RiskHeader)
            arrays: Mapping[str, Any] = {name: stored[name] for name in _ARRAYS}
    # Damage shows as one of many errors of zip, numpy and JSON.
    except Exception as error:
        raise ConfigError(f"is not a fitted risk model: {error}; {fix}", where=str(path)) from error
    if (header.format, header.bits) != (FORMAT, BITS):
        raise ConfigError(f"was fitted by another version of triage; {fix}", where=str(path))
    version = hashlib.sha256(content).hexdigest()[:12]
    return RiskModel(header, **arrays, version=version)


def read_models(paths: Sequence[Path], *, with_history: bool = True) -> list[RiskModel]:
    """Read several files. Raises ConfigError with all problems, also for one name in two files.

    Without `with_history`, a model that weighs the author's past records is refused: a worker does not read the index.
    """
    problems: list[str] = []
    found: list[RiskModel] = []
    for path in paths:
        try:
            model = read_model(path)
        except ConfigError as error:
            problems.append(str(error))
            continue
        if not with_history and model.needs_history:
            problems.append(
                f"{path}: weighs the author's past records, which only the index has; use it with `triage risk score`, "
                f"or fit it without {HISTORY} in its features"
            )
        if any(other.name == model.name for other in found):
            problems.append(f"{path}: another file has the name {model.name!r}, too; a record has one score per name")
        found.append(model)
    if problems:
        raise ConfigError(problems)
    return found
