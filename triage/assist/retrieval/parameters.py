"""The fitted numbers of retrieval: weights of the fusion and coefficients of the confidence, shipped as JSON."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from triage.assist.retrieval.similarity import Centre
from triage.decoding import DecodeError, decoded
from triage.errors import ConfigError

SHIPPED = Path(__file__).with_name("parameters.json")


class FusionWeights(msgspec.Struct, frozen=True):
    """Weights next to the cosine, whose weight is 1.

    `words` is that of BM25, relative to the best passage; `language` is added for a passage in the question's language.
    """

    words: float
    language: float


class ConfidenceModel(msgspec.Struct, frozen=True):
    """A logistic model: coefficients of standardized features, by name."""

    features: list[str]
    mean: list[float]
    scale: list[float]
    coefficients: list[float]
    intercept: float

    def probability(self, values: dict[str, float]) -> float:
        total = self.intercept
        for name, mean, scale, coefficient in zip(self.features, self.mean, self.scale, self.coefficients, strict=True):
            total += coefficient * (values[name] - mean) / scale
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


class Parameters(msgspec.Struct, frozen=True):
    """Fusion by language (`""`: any other), confidence with vectors (`fused`) and without (`words`).

    `centres` are the mean vectors by language; `fitted` says on which questions.
    """

    fusion: dict[str, FusionWeights]
    fused: ConfidenceModel
    words: ConfidenceModel
    centres: dict[str, Centre] = {}
    fitted: dict[str, Any] = {}

    def weights(self, language: str) -> FusionWeights:
        return self.fusion.get(language) or self.fusion[""]


@lru_cache(maxsize=4)
def load_parameters(path: Path = SHIPPED) -> Parameters:
    """Read fitted numbers. Raises ConfigError for a file that is not of this form."""
    try:
        found: Parameters = decoded(msgspec.json.decode, path.read_bytes(), type=Parameters)
    except (OSError, DecodeError) as error:
        raise ConfigError(f"{path} is not a file of `triage knowledge evaluate --fit`: {error}") from error
    return found
