"""Fits the policy: a conditional logit over the legal steps of each decision, by L-BFGS.

The score of a step is the sum of its own weights for the situation (specific) and shared weights for how it fits the
situation (general); probabilities are a softmax over the legal steps alone.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, vstack

from triage.assist.policy.dialogues import Decision
from triage.assist.policy.features import GENERAL, Graph, general, specific

_MIN_TASKS = 3
_BLOCK = 500


@dataclass
class Policy:
    """Fitted weights: `shared` [GENERAL] of general features, `own` [features, actions] of specific ones.

    `alone` [GENERAL] replaces both for a task that was not fitted. `actions` and `vocabulary` name the columns and
    rows of `own`; `anytime` are the steps that belong to no task.
    """

    actions: list[str]
    vocabulary: dict[str, int]
    anytime: list[str]
    tasks: list[str]
    own: NDArray[np.float32]
    shared: NDArray[np.float32]
    alone: NDArray[np.float32]


@dataclass
class Prepared:
    """Decisions as arrays, one row for each allowed step (candidate) of each decision.

    `situations` [decisions, features] are specific, `rows` [rows, GENERAL] general features; `columns` [rows] are
    actions, `decision` [rows] the decisions of the rows. `starts` [decisions] is the first row of each, `truth`
    [decisions] the row of the step that was taken.
    """

    situations: csr_matrix
    rows: csr_matrix
    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    truth: NDArray[np.int64]
    decision: NDArray[np.int64]


def anytime_actions(decisions: Sequence[Decision], graphs: dict[str, Graph]) -> list[str]:
    """Actions allowed at any time: taken in several tasks whose graphs lack them, or in half of the tasks' graphs."""
    tasks: dict[str, set[str]] = {}
    for each in decisions:
        if each.action not in graphs[each.task].replies:
            tasks.setdefault(each.action, set()).add(each.task)
    known = Counter(action for graph in graphs.values() for action in graph.replies)
    often = {action for action, number in known.items() if number >= len(graphs) // 2}
    return sorted({action for action, found in tasks.items() if len(found) >= _MIN_TASKS} | often)


def legal_actions(graph: Graph, anytime: Sequence[str]) -> list[str]:
    """The steps of a task's graph, then those of `anytime`, which are allowed at any time; each once."""
    return list(dict.fromkeys([*graph.replies, *anytime]))


def fit_policy(
    decisions: Sequence[Decision],
    graphs: dict[str, Graph],
    *,
    own_penalty: float = 1.0,
    shared_penalty: float = 0.1,
    iterations: int = 60,
    min_count: int = 2,
    progress: Callable[[str], None] = lambda _: None,
) -> Policy:
    """Fit a policy by L2-penalized maximum likelihood.

    Decisions whose action is not allowed in their task are left out. `graphs` are those of the tasks. `own_penalty`
    is on the weights of single steps, `shared_penalty` on those of general features; a specific feature must occur
    `min_count` times. `progress` is called with a line of text.
    """
    anytime = anytime_actions(decisions, graphs)
    usable = [each for each in decisions if each.action in legal_actions(graphs[each.task], anytime)]
    counts = Counter(name for each in usable for name in specific(each))
    vocabulary = {name: n for n, name in enumerate(sorted(name for name, n in counts.items() if n >= min_count))}
    actions = sorted({each.action for each in usable})
    progress(f"{len(usable):,} decisions, {len(vocabulary):,} features, {len(actions)} actions")
    data = prepare(usable, graphs, anytime, vocabulary, actions)
    shape = (len(vocabulary), len(actions))
    alone = _fitted(data, None, np.zeros(GENERAL), shared_penalty, iterations, progress)
    start = np.concatenate([np.zeros(shape[0] * shape[1]), alone])
    joint = _fitted(data, (shape, own_penalty), start, shared_penalty, iterations, progress)
    own = joint[: shape[0] * shape[1]].reshape(shape).astype(np.float32)
    shared = joint[shape[0] * shape[1] :].astype(np.float32)
    tasks = sorted({each.task for each in usable})
    return Policy(actions, vocabulary, anytime, tasks, own, shared, alone.astype(np.float32))


def fit_alone(decisions: Sequence[Decision], graphs: dict[str, Graph], iterations: int = 40) -> Policy:
    """Fit a policy with general weights only: it ranks tasks that no dialogue was seen of."""
    anytime = anytime_actions(decisions, graphs)
    usable = [each for each in decisions if each.action in legal_actions(graphs[each.task], anytime)]
    data = prepare(usable, graphs, anytime, {}, [])
    alone = _fitted(data, None, np.zeros(GENERAL), 0.1, iterations, lambda _: None).astype(np.float32)
    return Policy([], {}, anytime, [], np.zeros((0, 0), np.float32), alone, alone)


def prepare(
    decisions: Sequence[Decision],
    graphs: dict[str, Graph],
    anytime: Sequence[str],
    vocabulary: dict[str, int],
    actions: Sequence[str],
) -> Prepared:
    """Convert decisions, whose actions must be allowed in their tasks, to arrays for fitting.

    `vocabulary` numbers the specific features that count, `actions` are the columns of their weights.
    """
    column = {action: number for number, action in enumerate(actions)}
    indices, values, pointers = [], [], [0]
    rows, block, columns, starts, truth, owner = [], [], [], [], [], []
    count = 0
    for number, each in enumerate(decisions):
        for name, value in specific(each).items():
            if (index := vocabulary.get(name)) is not None:
                indices.append(index)
                values.append(value)
        pointers.append(len(indices))
        legal = legal_actions(graphs[each.task], anytime)
        block.append(general(each, legal, graphs[each.task]))
        if len(block) == _BLOCK or number == len(decisions) - 1:
            # Most general features of a candidate are zero.
            rows.append(csr_matrix(np.concatenate(block), dtype=np.float64))
            block = []
        columns += [column.get(action, -1) for action in legal]
        starts.append(count)
        truth.append(count + legal.index(each.action))
        owner += [number] * len(legal)
        count += len(legal)
    matrix = csr_matrix((values, indices, pointers), shape=(len(decisions), max(len(vocabulary), 1)), dtype=np.float64)
    return Prepared(
        matrix, vstack(rows, format="csr"), np.array(columns), np.array(starts), np.array(truth), np.array(owner)
    )


def _fitted(
    data: Prepared,
    own: tuple[tuple[int, int], float] | None,
    start: NDArray[np.float64],
    shared_penalty: float,
    iterations: int,
    progress: Callable[[str], None],
) -> NDArray[np.float64]:
    """Weights that minimize the penalized loss: those of `own`, if given as (shape, penalty), then the shared ones."""
    size = own[0][0] * own[0][1] if own else 0
    known = data.columns >= 0
    rows, transposed = data.rows, data.rows.T.tocsr()
    situations, by_feature = data.situations, data.situations.T.tocsr()
    owner, columns = data.decision[known], data.columns[known]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        shared = weights[size:]
        scores = rows @ shared
        if own:
            matrix = weights[:size].reshape(own[0])
            scores[known] += (situations @ matrix)[owner, columns]
        top = np.maximum.reduceat(scores, data.starts)
        exponent = np.exp(scores - top[data.decision])
        total = np.add.reduceat(exponent, data.starts)
        value = float(np.sum(np.log(total) + top - scores[data.truth]))
        error = exponent / total[data.decision]
        error[data.truth] -= 1
        gradient = transposed @ error + shared_penalty * shared
        value += 0.5 * shared_penalty * float(shared @ shared)
        if not own:
            return value, gradient
        by_action = np.zeros((len(data.starts), own[0][1]))
        by_action[owner, columns] = error[known]
        own_gradient = by_feature @ by_action + own[1] * matrix
        value += 0.5 * own[1] * float(np.sum(matrix * matrix))
        return value, np.concatenate([own_gradient.ravel(), gradient])

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 6})
    progress(f"loss {found.fun / len(data.starts):.4f} after {found.nit} steps")
    return np.asarray(found.x, np.float64)
