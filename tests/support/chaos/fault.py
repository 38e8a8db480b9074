"""A fault, and the scene that it strikes."""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from chaos.cluster import Cluster
from chaos.fleet import SupervisedFleet
from chaos.stack import Stack


@dataclass(frozen=True)
class Fault:
    """A fault. `needs` names what the stack must support, see `Stack.can`.

    `strike` blocks for as long as the fault lasts, and returns False without a target.
    """

    name: str
    strike: Callable[["Scene"], bool | None]
    needs: tuple[str, ...] = ()


class Scene:
    """The targets of a fault. `spared` roles are never ended, so that a long run has processes as old as itself."""

    def __init__(self, fleet: SupervisedFleet, stack: Stack, rng: random.Random, spared: Collection[str] = ()) -> None:
        self.fleet = fleet
        self.stack = stack
        self.cluster = Cluster(stack)
        self.rng = rng
        self.spared = set(spared)
        # What a fault found to be wrong, as sentences.
        self.problems: list[str] = []

    def pick(self, kind: str = "worker") -> str | None:
        running = [role for role in self.fleet.running(kind) if role not in self.spared]
        return self.rng.choice(running or [None])

    def pause(self, min_s: float, max_s: float) -> None:
        time.sleep(self.rng.uniform(min_s, max_s))
