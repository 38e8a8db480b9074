"""Learning rate schedule: a linear warm-up, then a linear decay to zero at the end of the steps or of the time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Learning rate schedule over `steps` steps, and over `max_minutes` minutes if given.

    The one of the two that ends first determines the decay.
    """

    steps: int
    warmup_steps: int
    max_minutes: float | None = None

    def progress(self, step: int, minutes: float) -> float:
        """Progress of the training run, 0 at the start and 1 at the end; `minutes` is the elapsed time."""
        by_time = minutes / self.max_minutes if self.max_minutes else 0.0
        return min(1.0, max(step / self.steps, by_time))

    def done(self, step: int, minutes: float) -> bool:
        """True if the training run has reached its last step or its time limit."""
        return self.progress(step, minutes) >= 1.0

    def factor(self, step: int, minutes: float) -> float:
        """Factor, 0 to 1, by which the peak learning rate is multiplied at this step and elapsed time."""
        warm = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        return warm * (1.0 - self.progress(step, minutes))
