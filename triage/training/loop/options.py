"""Options of a training run, checked at construction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from triage.errors import ConfigError
from triage.inference.hardware import has_fast_bf16
from triage.training.data.labels import HEADS

PEFT_METHODS = ("lora", "adalora", "ia3", "prefix")
AUGMENTATIONS = ("typos", "drop", "case", "emoji", "script")
_NOT_IDENTITY = ("extra", "threads", "max_minutes")
_NOT_PUBLISHED = ("extra", "base", "start_from", "teacher")
_Bound = tuple[Callable[[Any], bool], str]
_POSITIVE: _Bound = (lambda value: value > 0, "above 0")
_NOT_NEGATIVE: _Bound = (lambda value: value >= 0, "at least 0")
_COUNT: _Bound = (lambda value: value >= 1, "at least 1")
_SHARE: _Bound = (lambda value: 0 <= value < 1, "from 0 to below 1")
_BOUNDS: dict[str, _Bound] = {
    **dict.fromkeys(("epochs", "learning_rate", "head_learning_rate"), _POSITIVE),
    **dict.fromkeys(("validate_minutes", "checkpoint_minutes", "max_minutes", "distill_temperature"), _POSITIVE),
    **dict.fromkeys(("weight_decay", "warmup_steps", "adversarial", "distill_weight"), _NOT_NEGATIVE),
    **dict.fromkeys(("max_steps", "patience", "threads", "layers", "accumulate", "peft_rank"), _COUNT),
    **dict.fromkeys(("token_budget", "validation_cap", "max_tokens"), _COUNT),
    **dict.fromkeys(("label_smoothing", "sentiment_smoothing", "ema_decay"), _SHARE),
    "augment": (lambda value: 0 <= value <= 1, "from 0 to 1, the share of augmented texts"),
    "layer_decay": (lambda value: 0 < value <= 1, "above 0 and at most 1"),
}


@dataclass(frozen=True)
class Options:
    """Options of a training run: everything besides the data that its result depends on.

    Most are described by `triage train --help`.

    Raises ConfigError naming every invalid option.
    """

    base: str
    layers: int | None = None
    epochs: float = 2.0
    max_steps: int | None = None
    max_minutes: float | None = None
    seed: int = 1
    learning_rate: float = 8e-5
    head_learning_rate: float = 5e-4
    layer_decay: float = 1.0
    weight_decay: float = 0.01
    warmup_steps: int = 100
    token_budget: int = 2_048
    accumulate: int = 1
    max_tokens: int = 128
    bf16: bool = field(default_factory=has_fast_bf16)
    label_smoothing: float = 0.05
    sentiment_smoothing: float = 0.0
    head_weights: Mapping[str, float] = field(default_factory=dict)
    ema_decay: float = 0.0
    freeze: str = "none"
    peft: str | None = None
    peft_rank: int = 8
    adversarial: float = 0.0
    augment: float = 0.0
    augmentations: tuple[str, ...] = AUGMENTATIONS
    teacher: str | None = None
    distill_weight: float = 1.0
    distill_temperature: float = 2.0
    patience: int | None = None
    validate_minutes: float = 10.0
    validation_cap: int = 150
    checkpoint_minutes: float = 5.0
    threads: int | None = None
    start_from: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ConfigError(problems, where="training options")

    @property
    def frozen_layers(self) -> int:
        """Number of layers that `freeze` freezes besides the embeddings, counted from the first."""
        return int(self.freeze.partition(":")[2]) if self.freeze.startswith("layers:") else 0

    def identity(self) -> dict[str, Any]:
        """The options, by name, that must be equal for a run to be resumed."""
        return {key: value for key, value in _plain(self).items() if key not in _NOT_IDENTITY}

    def published(self) -> dict[str, Any]:
        """The options, by name, that a checkpoint and a manifest contain: without paths of this machine."""
        return {key: value for key, value in _plain(self).items() if key not in _NOT_PUBLISHED}

    def _problems(self) -> Iterator[str]:
        for name, (holds, bound) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not holds(value):
                yield f"{name} must be {bound}, is {value}"
        yield from self._name_problems()
        yield from self._pair_problems()

    def _name_problems(self) -> Iterator[str]:
        if self.peft is not None and self.peft not in PEFT_METHODS:
            yield f"peft is {self.peft!r}, known are {', '.join(PEFT_METHODS)}"
        if self.freeze not in {"none", "embeddings", "encoder"} and not _is_layers(self.freeze):
            yield f"freeze is {self.freeze!r}, must be none, embeddings, layers:N (N at least 1) or encoder"
        for name in sorted(set(self.augmentations) - set(AUGMENTATIONS)):
            yield f"augmentation {name!r} is not known, known are {', '.join(AUGMENTATIONS)}"
        for name, weight in self.head_weights.items():
            if name not in HEADS:
                yield f"head_weights names {name!r}, the heads are {', '.join(HEADS)}"
            elif weight < 0:
                yield f"head_weights.{name} must not be negative, is {weight}"
        if self.head_weights and not any(self.head_weights.get(head, 1.0) for head in HEADS):
            yield "head_weights switches every head off, so nothing would be trained"

    def _pair_problems(self) -> Iterator[str]:
        if self.peft and self.freeze != "none":
            yield f"peft freezes the encoder itself; leave freeze at none (it is {self.freeze})"
        if self.adversarial and (self.peft or self.freeze != "none"):
            yield "adversarial needs the gradient of the word embeddings; it cannot be combined with peft or freeze"


def _is_layers(freeze: str) -> bool:
    name, _, count = freeze.partition(":")
    return name == "layers" and count.isdigit() and int(count) > 0


def _plain(options: Options) -> dict[str, Any]:
    """The options as JSON and resume.pt contain them."""
    return {
        key: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
        for key, value in asdict(options).items()
    }
