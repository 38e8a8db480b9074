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

    `words` is that of BM25, relative to the best passage; `language` is added for a passage in the question's language;
    `tokens` is that of the article's similarity token by token.
    """

    words: float
    language: float
    tokens: float = 0.0


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

    `late_fusion` and `late` are those where articles were compared token by token. `centres` are the mean vectors by
    language; `fitted` says on which questions.
    """

    fusion: dict[str, FusionWeights]
    fused: ConfidenceModel
    words: ConfidenceModel
    centres: dict[str, Centre] = {}
    fitted: dict[str, Any] = {}
    late_fusion: dict[str, FusionWeights] = {}
    late: ConfidenceModel | None = None

    def weights(self, language: str, *, late: bool = False) -> FusionWeights:
        """The weights for a question; `late` if articles were compared token by token."""
        fusion = self.late_fusion if late and self.late_fusion else self.fusion
        return fusion.get(language) or fusion[""]


@lru_cache(maxsize=4)
def load_parameters(path: Path = SHIPPED) -> Parameters:
    """Read fitted numbers. Raises ConfigError for a file that is not of this form."""
    try:
        found: Parameters = decoded(msgspec.json.decode, path.read_bytes(), type=Parameters)
    except (OSError, DecodeError) as error:
        raise ConfigError(f"{path} is not a file of `triage knowledge evaluate --fit`: {error}") from error
    return found
