"""Fits and evaluates a policy of next steps from files in the form of STAR."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from triage.assist.playbooks.loader import Playbooks
from triage.assist.policy.artifact import PolicyModel, write_policy
from triage.assist.policy.dialogues import Decision, Task, decisions, read_dialogues, read_tasks
from triage.assist.policy.evaluation import Score, by_frequency, by_graph, legal_of, score, usual_actions
from triage.assist.policy.features import Graph, general, graph_of
from triage.assist.policy.fitting import anytime_actions, fit_alone, fit_policy, legal_actions
from triage.assist.policy.picks import picks, playbook_graph
from triage.errors import ConfigError
from triage.schemas.conversation import Conversation

Progress = Callable[[str], None]


class Results(msgspec.Struct, kw_only=True):
    """Scores of a policy, and on the same decisions of two baselines: the task's graph and the most frequent action."""

    policy: Score
    graph_alone: Score
    most_frequent_after_task_and_last_action: Score


class UnseenResults(msgspec.Struct, kw_only=True):
    """By task, the accuracy (policy, graph alone) on its decisions when the policy was fitted on all other tasks.

    `policy` and `graph_alone` are the means over all decisions.
    """

    tasks: dict[str, tuple[float, float]]
    policy: float
    graph_alone: float


def graphs_of(tasks: dict[str, Task]) -> dict[str, Graph]:
    """The graphs of tasks by name, for `fit` and `evaluate`."""
    return {
        name: graph_of(name, task.replies, {action: [following] for action, following in task.graph.items()})
        for name, task in tasks.items()
    }


def fit(data: Path, tasks: Path, output: Path, penalty: float, iterations: int, progress: Progress) -> None:
    """Fit a policy on the dialogues in the file `data` and write it into the folder `output`.

    `tasks` is the file of the tasks' graphs; `penalty` is on the weights of single steps. Raises ConfigError,
    MissingExtraError.
    """
    graphs = graphs_of(read_tasks(tasks))
    found = list(decisions(read_dialogues(data), list(graphs), complete=False))
    if not found:
        raise ConfigError("has no actions of agents in dialogues of one task", where=str(data))
    _fit(found, graphs, output, penalty, iterations, progress)


def fit_picks(
    conversations: Iterable[Conversation],
    playbooks: Playbooks,
    output: Path,
    penalty: float,
    iterations: int,
    progress: Progress,
) -> None:
    """Fit a policy on the steps that agents picked in conversations and write it into the folder `output`.

    Raises ConfigError if no step was picked, MissingExtraError without the package onnx.
    """
    graphs = {name: playbook_graph(playbook) for name, playbook in playbooks.by_name.items()}
    found = list(picks(conversations, playbooks))
    if not found:
        raise ConfigError("no agent has picked a suggested step of a playbook yet: the graph alone ranks them")
    progress(f"{len(found):,} picks in {len({each.dialogue for each in found}):,} conversations")
    _fit(found, graphs, output, penalty, iterations, progress)


def _fit(
    found: list[Decision],
    graphs: dict[str, Graph],
    output: Path,
    penalty: float,
    iterations: int,
    progress: Progress,
) -> None:
    policy = fit_policy(found, graphs, own_penalty=penalty, iterations=iterations, progress=progress)
    write_policy(policy, usual_actions(found), output)
    progress(f"{output}: {len(policy.actions)} actions, {len(policy.tasks)} tasks")


def evaluate(data: Path, tasks: Path, folder: Path) -> Results:
    """Score the policy in `folder` and the baselines on the dialogues in the file `data`.

    `tasks` is the file of the tasks' graphs. Raises ConfigError, ModelError.
    """
    graphs = graphs_of(read_tasks(tasks))
    found = list(decisions(read_dialogues(data), list(graphs)))
    if not found:
        raise ConfigError("has no actions of agents in complete dialogues of one task", where=str(data))
    model = PolicyModel(folder)
    legal = legal_of(graphs, model.names.anytime)
    return Results(
        policy=score(found, lambda each: model.ranked(each, graphs[each.task]), legal),
        graph_alone=score(found, by_graph(graphs), legal),
        most_frequent_after_task_and_last_action=score(found, by_frequency(model.names.usual), legal),
    )


def evaluate_unseen(data: Path, train: Path, tasks: Path, progress: Progress) -> UnseenResults:
    """For each task: fit on the dialogues in `train` about all other tasks, score on those in `data` about this one.

    Raises ConfigError.
    """
    graphs = graphs_of(read_tasks(tasks))
    learnt = list(decisions(read_dialogues(train), list(graphs)))
    tested = list(decisions(read_dialogues(data), list(graphs)))
    found: dict[str, tuple[float, float]] = {}
    counts: dict[str, int] = {}
    for name in sorted({each.task for each in tested}):
        others = [each for each in learnt if each.task != name]
        policy, own = fit_alone(others, graphs), [each for each in tested if each.task == name]
        legal = legal_actions(graphs[name], anytime_actions(others, graphs))

        def rank(each: Decision, legal: list[str] = legal, name: str = name) -> tuple[list[str], list[float]]:
            values = general(each, legal, graphs[name]) @ policy.alone  # noqa: B023 - used within this turn of the loop
            order = (-values).argsort(kind="stable")
            return [legal[place] for place in order], [float(values[place]) for place in order]

        of_policy = score(own, rank, lambda _, legal=legal: legal)  # type: ignore[misc]
        of_graph = score(own, by_graph(graphs), lambda _, legal=legal: legal)  # type: ignore[misc]
        found[name], counts[name] = (of_policy.accuracy, of_graph.accuracy), len(own)
        progress(f"{name}: {of_policy.accuracy:.3f}, the graph alone {of_graph.accuracy:.3f}")
    whole = sum(counts.values())
    if not whole:
        raise ConfigError("has no actions of agents in complete dialogues of one task", where=str(data))
    mean = [sum(found[name][place] * counts[name] for name in found) / whole for place in (0, 1)]
    return UnseenResults(tasks=found, policy=mean[0], graph_alone=mean[1])
