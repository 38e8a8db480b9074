"""Measures how well next steps are ranked, with the baselines: the graph alone, and the most frequent action."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from triage.assist.policy.dialogues import TYPED, Decision
from triage.assist.policy.features import Graph
from triage.assist.policy.fitting import legal_actions

Rank = Callable[[Decision], tuple[list[str], Any]]
"""Returns steps and their probabilities, best first."""
COVERAGES = (0.5, 0.7, 0.9)


class Score(msgspec.Struct, kw_only=True):
    """Results of a ranking over decisions.

    `accuracy` is how often its first step was the one taken, `recall_at_3` how often one of its first three was.

    `surest` has, by coverage (50 %, ...), the accuracy on this share of decisions, those with the highest
    probability. `illegal` counts suggestions, of the first three, that the playbook does not allow.
    """

    decisions: int
    accuracy: float
    weighted_f1: float
    recall_at_3: float
    surest: dict[str, float]
    illegal: int


def score(decisions: Sequence[Decision], rank: Rank, legal: Callable[[Decision], Sequence[str]]) -> Score:
    """Score a ranking on decisions; `rank` gives its steps for a decision, `legal` the steps that the task allows."""
    first, sure, in_three, illegal = [], [], 0, 0
    for each in decisions:
        steps, probabilities = rank(each)
        first.append(steps[0] if steps else "")
        sure.append(float(probabilities[0]) if len(probabilities) else 0.0)
        in_three += each.action in steps[:3]
        illegal += len(set(steps[:3]) - set(legal(each)))
    truth = [each.action for each in decisions]
    right = np.array([one == other for one, other in zip(first, truth, strict=True)])
    order = np.argsort(-np.array(sure), kind="stable")
    surest = {f"{share:.0%}": float(right[order[: int(len(order) * share)]].mean()) for share in COVERAGES}
    return Score(
        decisions=len(decisions),
        accuracy=float(right.mean()),
        weighted_f1=_weighted_f1(truth, first),
        recall_at_3=in_three / len(decisions),
        surest=surest,
        illegal=illegal,
    )


def _weighted_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """F1 of each action, weighted by how often it was taken."""
    taken, said = Counter(truth), Counter(predicted)
    hits = Counter(one for one, other in zip(truth, predicted, strict=True) if one == other)
    return sum(number * 2 * hits[each] / (said[each] + number) for each, number in taken.items()) / len(truth)


def usual_actions(decisions: Sequence[Decision]) -> dict[str, str]:
    """The most frequent action, by `task last-action` (after this action in this task) and by `task` alone."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in decisions:
        counts[_key(each)][each.action] += 1
        counts[each.task][each.action] += 1
    return {key: found.most_common(1)[0][0] for key, found in counts.items()}


def by_frequency(usual: dict[str, str]) -> Rank:
    """Ranking for comparison: the most frequent action after the last one, from the result of `usual_actions`."""

    def rank(decision: Decision) -> tuple[list[str], Sequence[float]]:
        return [usual.get(_key(decision)) or usual.get(decision.task, "")], [1.0]

    return rank


def by_graph(graphs: dict[str, Graph]) -> Rank:
    """Ranking for comparison: what usually follows the last action in the task's graph, then its other steps."""

    def rank(decision: Decision) -> tuple[list[str], Sequence[float]]:
        graph = graphs[decision.task]
        last = next((action for action in reversed(decision.actions) if action != TYPED), "hello")
        after = list(graph.follows.get(last, ()))
        rest = sorted((step for step in graph.replies if step not in after), key=lambda step: graph.order[step])
        return [*after, *rest], [1.0]

    return rank


def legal_of(graphs: dict[str, Graph], anytime: Sequence[str]) -> Callable[[Decision], list[str]]:
    """Function that returns the steps allowed for a decision: those of its task's graph, and `anytime`."""
    found = {name: legal_actions(graph, anytime) for name, graph in graphs.items()}
    return lambda decision: found[decision.task]


def _key(decision: Decision) -> str:
    last = next((action for action in reversed(decision.actions) if action != TYPED), "-")
    return f"{decision.task} {last}"
