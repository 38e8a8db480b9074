"""What a training run depends on besides its data."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Options:
    """What a run depends on besides its data. Written into the checkpoint."""

    base: str
    layers: int | None = None
    epochs: float = 2.0
    max_minutes: float | None = None
    seed: int = 1
    learning_rate: float = 8e-5
    head_learning_rate: float = 5e-4
    weight_decay: float = 0.01
    warmup_steps: int = 100
    token_budget: int = 2_048
    max_tokens: int = 128
    bf16: bool = True
    validate_minutes: float = 10.0
    validation_cap: int = 150
    checkpoint_minutes: float = 5.0
    threads: int | None = None
    start_from: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """What two runs must share for one to go on where the other stopped."""
        return {key: value for key, value in asdict(self).items() if key not in ("extra", "threads", "max_minutes")}

    def account(self) -> dict[str, Any]:
        """What a checkpoint keeps: no paths of this machine."""
        return {key: value for key, value in asdict(self).items() if key not in ("extra", "base", "start_from")}
