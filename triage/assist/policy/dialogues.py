"""Reads dialogues with the agent's actions and their tasks, in the form of STAR, and makes decisions of them.

STAR: Mosig, Mehri, Kober (2020), arXiv:2010.11853, MIT licence. One dialogue a line with `events` in order;
`tasks.json` has for each task a `graph` (action: the usual next one) and `replies` (action: its sentence).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from triage.errors import ConfigError
from triage.packed import read_unpacked

QUERY, TYPED = "query", "typed"
"""A look-up, and a sentence that the agent typed by hand, which stands among the actions before but is never learnt."""
_QUERIES = ("query", "query_")
# Tasks of the dialogues are not always named as in tasks.json: doctor_schedule there is book_doctor_appointment.
_SAME = {"reserve": "book", "schedule": "book", "booking": "book"}
LastEvent = Literal["start", "customer", "look_up", "agent"]


class Event(msgspec.Struct, kw_only=True):
    """One event: what the customer or the agent said or did, or what the knowledge base returned.

    `action` is that of an agent, `constraints` are what a look-up asked for, `item` is what it returned.
    """

    who: Literal["customer", "agent", "knowledge_base"]
    text: str = ""
    action: str | None = None
    item: dict[str, Any] | None = None
    constraints: list[dict[str, Any]] = []


class StarDialogue(msgspec.Struct, kw_only=True):
    """One dialogue of STAR: its tasks by name and its events in order; `complete` unless it ended early.

    `multi_task` dialogues, about several tasks, are not used.
    """

    dialogue_id: int | str
    tasks: list[str]
    events: list[Event]
    multi_task: bool = False
    complete: bool = True


class Task(msgspec.Struct, kw_only=True):
    """A task: `graph` has the usual next action after each action, `replies` the sentence of each."""

    graph: dict[str, str]
    replies: dict[str, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """An action of an agent, and the situation before it: what had been done and said in the dialogue.

    `actions` are the agent's earlier actions, oldest first; `said` the customer's words since the agent's last text,
    `earlier` those before that text; `found` what the last look-up asked for and returned, or what the agent typed,
    if that was the last event; `last` is the kind of the last event.
    """

    dialogue: str
    task: str
    actions: tuple[str, ...]
    said: str
    earlier: str
    found: str
    last: LastEvent
    action: str = ""


def read_dialogues(path: Path) -> list[StarDialogue]:
    """Read dialogues, one JSON object a line, plain or gzip. Raises ConfigError naming the line."""
    try:
        lines = read_unpacked(path).splitlines()
    except OSError as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=StarDialogue))
        except msgspec.MsgspecError as error:
            raise ConfigError(f"line {number}: {error}", where=str(path)) from error
    return found


def read_tasks(path: Path) -> dict[str, Task]:
    """Read a file of tasks, by their names. Raises ConfigError if it is not such a file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Task])
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"not a file of tasks: {error}", where=str(path)) from error


def plain_action(action: str) -> str:
    """The name of an action, but `query` for every kind of look-up, such as `query_book` and `query_check`."""
    return QUERY if action.startswith(_QUERIES) else action


def task_named(name: str, tasks: Sequence[str]) -> str:
    """The one of `tasks` whose name has most words in common with `name`, the task's name in a dialogue."""
    if name in tasks:
        return name

    def words(text: str) -> set[str]:
        return {_SAME.get(word, word) for word in text.split("_")}

    def likeness(other: str) -> float:
        return len(words(name) & words(other)) / len(words(name) | words(other))

    return max(tasks, key=likeness)


def decisions(dialogues: Sequence[StarDialogue], tasks: Sequence[str], *, complete: bool = True) -> Iterator[Decision]:
    """Every action of an agent in dialogues of one task, with what came before it; by default in complete ones only."""
    for dialogue in dialogues:
        if dialogue.multi_task or not dialogue.tasks or (complete and not dialogue.complete):
            continue
        yield from _of_dialogue(dialogue, task_named(dialogue.tasks[0], tasks))


def _of_dialogue(dialogue: StarDialogue, task: str) -> Iterator[Decision]:
    actions: list[str] = []
    said: list[str] = []
    earlier: list[str] = []
    found, last, asked = "", "start", ""
    for event in dialogue.events:
        if event.who == "customer":
            if last != "customer":
                earlier += said
                said = []
            said.append(event.text)
            found, last = "", "customer"
        elif event.who == "knowledge_base":
            found, last = f"{_returned(event.item)} {asked}", "look_up"
        else:
            if event.action is not None:
                action = plain_action(event.action)
                yield Decision(
                    str(dialogue.dialogue_id),
                    task,
                    tuple(actions),
                    " ".join(said),
                    " ".join(earlier),
                    found,
                    last,  # type: ignore[arg-type]
                    action,
                )
                actions.append(action)
                if action == QUERY:
                    asked = _asked(event.constraints)
                found = ""
            else:
                actions.append(TYPED)
                found = event.text
            last = "agent"


def _asked(constraints: Sequence[dict[str, Any]]) -> str:
    """Names of what a look-up asked for, and short values: RequestType_Book."""
    found = []
    for each in constraints:
        for key, value in each.items():
            text = str(value).strip('"')
            found.append(f"asked_{key}_{text}" if len(text) < 8 else f"asked_{key}")
    return " ".join(dict.fromkeys(found))


def _returned(item: dict[str, Any] | None) -> str:
    """The answer of a look-up as words; long values (names, addresses) say little and are left out."""
    if not item:
        return "nothing"
    parts = []
    for key, value in item.items():
        text = str(value)
        parts.append(text if key == "Message" else f"{key}_{text}" if len(text) < 16 else key)
    return " ".join(parts)
