"""Features of a decision: words and actions for what was learnt of one step, and what any step can be ranked by.

Specific features say what agents do in this very task after these actions and words. General ones compare a step with
the situation (follows in the graph, done already, a question, words in common), so they also rank a playbook that no
dialogue was seen of.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from triage.assist.policy.dialogues import QUERY, TYPED, Decision, plain_action
from triage.rules.phrases import normalized

_WORD = re.compile(r"[a-z'_]+|\d+|[\u4e00-\u9fff]")
_KINDS = ("hello", "bye", "more", "scope", "query", "ask", "tell", "yes", "no", "other")
_LASTS = ("start", "customer", "look_up", "agent")
_DISTANCES = 5
_THANKS = frozenset({"thanks", "thank", "bye", "goodbye", "no", "nope", "great", "perfect"})
_FLAGS = 12
_MAX_WORDS = 60
GENERAL = len(_KINDS) * (2 * len(_LASTS) + 5) + 2 * _DISTANCES + _FLAGS
"""Number of general features of one candidate."""


def words_of(text: str) -> list[str]:
    """Words of a text, case-folded; each Han character is one; numbers are `#`."""
    return ["#" if word.isdigit() else word for word in _WORD.findall(normalized(text))]


@dataclass(frozen=True)
class Graph:
    """The steps of one task: the sentence of each (`replies`), and the steps that usually follow each (`follows`).

    `order` is the place of each step from the start, `distances` the number of steps between any two.
    """

    name: str
    replies: dict[str, str]
    follows: dict[str, tuple[str, ...]]
    order: dict[str, int]
    distances: dict[str, dict[str, int]]
    reply_words: dict[str, frozenset[str]]


def graph_of(name: str, replies: Mapping[str, str], follows: Mapping[str, Sequence[str]]) -> Graph:
    """The graph of a task or playbook from its sentences and successors. All kinds of look-ups are the step `query`."""
    steps: dict[str, str] = {}
    for action, reply in replies.items():
        steps.setdefault(plain_action(action), reply)
    after: dict[str, list[str]] = {}
    for action, nexts in follows.items():
        for each in nexts:
            if (other := plain_action(each)) in steps and other not in after.setdefault(plain_action(action), []):
                after[plain_action(action)].append(other)
    order = _walk(steps, after)
    distances = {action: _distances(action, after) for action in {*steps, *after, "hello"}}
    words = {action: frozenset(words_of(reply)) for action, reply in steps.items()}
    return Graph(name, steps, {key: tuple(value) for key, value in after.items()}, order, distances, words)


def _walk(steps: Mapping[str, str], after: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Position of each step on a walk through the graph from its beginning; those off the way come last."""
    reached = {each for nexts in after.values() for each in nexts}
    waiting = [step for step in after if step not in reached] or list(after)[:1]
    found: dict[str, int] = {}
    while waiting:
        step = waiting.pop(0)
        if step not in found:
            found[step] = len(found)
            waiting += after.get(step, ())
    for step in steps:
        found.setdefault(step, len(found))
    return found


def _distances(start: str, after: Mapping[str, Sequence[str]]) -> dict[str, int]:
    found, waiting = {start: 0}, [start]
    while waiting:
        step = waiting.pop(0)
        for each in after.get(step, ()):
            if each not in found:
                found[each] = found[step] + 1
                waiting.append(each)
    return found


def kind_of(action: str) -> str:
    """The kind of a step by the words in its name, such as `ask`, `tell` or `query`; `other` if none is known."""
    for kind, parts in (
        ("query", ("query",)),
        ("hello", ("hello", "greeting")),
        ("bye", ("goodbye", "bye", "done", "later")),
        ("more", ("anything_else", "search_more", "ask_resolved")),
        ("scope", ("out_of_scope",)),
        ("ask", ("ask", "request", "discover")),
        ("tell", ("inform", "provide", "explain", "result", "success", "failed", "unavailable", "about", "confirm")),
    ):
        if any(part in action for part in parts):
            return kind
    return action if action in {"yes", "no"} else "other"


def specific(decision: Decision) -> dict[str, float]:
    """Features of a decision's situation by name, for the weights of each single step: last actions, words, task."""
    actions, found = decision.actions, {f"task {decision.task}": 1.0}
    last = actions[-1] if actions else "-"
    real = [action for action in actions if action != TYPED]
    before = actions[-2] if len(actions) > 1 else "-"
    for name in (
        f"last {last}",
        f"task last {decision.task} {last}",
        f"two {before} {last}",
        f"event {decision.last} {last}",
        f"real {decision.task} {real[-1] if real else '-'} {decision.last}",
        f"queries {decision.task} {min(real.count(QUERY), 3)} {decision.last}",
        f"task event {decision.task} {decision.last}",
        f"three {actions[-3] if len(actions) > 2 else '-'} {before} {last}",
    ):
        found[name] = 1.0
    for action in set(actions):
        found[f"done {action}"] = 0.5
    found[f"number {min(len(actions), 8)}"] = 0.5
    _add_words(found, "w", decision.said, 1.0)
    _add_words(found, "f", decision.found, 1.0)
    _add_words(found, "e", decision.earlier, 0.4, pairs=False)
    task_words = dict.fromkeys(words_of(decision.said), 0.0)
    for word in task_words:
        found[f"tw {decision.task} {word}"] = 1.0 / max(len(task_words), 1) ** 0.5
    return found


def _add_words(found: dict[str, float], prefix: str, text: str, weight: float, *, pairs: bool = True) -> None:
    words = words_of(text)[-_MAX_WORDS:]
    names = {f"{prefix} {word}" for word in words}
    if pairs:
        names |= {f"{prefix} {one} {two}" for one, two in pairwise(words)}
        if words:
            names |= {f"{prefix} ^{words[0]}", f"{prefix} {words[-1]}$"}
    scale = weight / max(len(names), 1) ** 0.5 * 2
    for name in names:
        found[name] = scale


def general(decision: Decision, candidates: Sequence[str], graph: Graph) -> NDArray[np.float32]:
    """General features [candidates, GENERAL] of the steps `candidates`: how each fits the decision's situation."""
    matrix = np.zeros((len(candidates), GENERAL), np.float32)
    actions = tuple(action for action in decision.actions if action != TYPED)
    last = actions[-1] if actions else "hello"
    done = set(actions)
    said, found = set(words_of(decision.said)), set(words_of(decision.found))
    asks = [step for step in graph.order if kind_of(step) == "ask" and step not in done]
    first_open = min(asks, key=lambda step: graph.order[step], default=None)
    question = decision.said.rstrip().endswith(("?", "？"))
    thanks = not _THANKS.isdisjoint(said)
    near = graph.distances.get(last, {})
    event = _LASTS.index(decision.last)
    for row, action in enumerate(candidates):
        kind = _KINDS.index(kind_of(action))
        here = matrix[row]
        at = kind * (2 * len(_LASTS) + 5)
        here[at + event] = 1
        here[at + len(_LASTS) + event] = action in done
        rest = at + 2 * len(_LASTS)
        here[rest], here[rest + 1], here[rest + 2] = question, thanks, not asks
        here[rest + 3], here[rest + 4] = min(len(actions), 10) / 10, len(said) < 3
        distance = min(near.get(action, _DISTANCES), _DISTANCES) - 1 if action != last else _DISTANCES - 1
        base = len(_KINDS) * (2 * len(_LASTS) + 5)
        here[base + max(distance, 0)] = 1
        here[base + _DISTANCES + max(distance, 0)] = action in done
        flags = base + 2 * _DISTANCES
        reply = graph.reply_words.get(action, frozenset())
        here[flags] = action in graph.follows.get(last, ())
        here[flags + 1] = action == last
        here[flags + 2] = actions.count(action) / 3
        here[flags + 3] = action == first_open
        here[flags + 4] = len(reply & said) / (len(reply) + 1)
        here[flags + 5] = len(reply & found) / (len(reply) + 1)
        here[flags + 6] = graph.order.get(action, len(graph.order)) / (len(graph.order) + 1)
        here[flags + 7] = action == first_open and decision.last == "customer"
        here[flags + 8] = action == QUERY and last == QUERY
        here[flags + 9] = action in graph.follows.get(QUERY, ()) and decision.last == "look_up"
        here[flags + 10] = action in graph.follows.get(actions[-2] if len(actions) > 1 else "", ())
        here[flags + 11] = action not in graph.replies
    return matrix
