"""Replays scripted dialogues against the bot, and counts correct reactions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from triage.assist.conversations.errors import TurnRefused
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.service import Conversations
from triage.assist.conversations.turns import TurnRequest
from triage.decoding import read_yaml
from triage.errors import ConfigError
from triage.packed import read_unpacked
from triage.schemas.conversation import Answer, Conversation

SHIPPED = Path(__file__).parent.with_name("playbooks") / "shipped" / "dialogues.jsonl.xz"
Read = Callable[[str], TurnFacts]
_YAML = frozenset({".yaml", ".yml"})
_MAX_LINES = 100_000


class ScriptedTurn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A customer's turn, and the expected result: state, requested slot, hand-off reason, outcome (None: any)."""

    say: str
    state: str | None = None
    ask: str | None = None
    reason: str | None = None
    outcome: str | None = None


class Dialogue(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A scripted dialogue.

    `kind` is the expected course: `wish` (handed to a person on request), `never` (handed to a person because the bot
    must not answer), `flow` (led by the bot), `playbook` and `clarify` (handed to a person by the playbook, or after
    turns that were not understood).
    """

    id: str
    language: str
    kind: str
    turns: list[ScriptedTurn]


@dataclass
class Report:
    """Results of a replay: numbers of dialogues, by their kind where it matters.

    `as_scripted` went as scripted; `wishes_met` of `wishes` for a person were handed over; `needless` of `led_by_bot`
    were handed over although the bot should lead them; `never_answered` of `never` were answered although the bot
    must not. `problems` describes each dialogue that did not go as scripted, one line each.
    """

    dialogues: int = 0
    as_scripted: int = 0
    wishes: int = 0
    wishes_met: int = 0
    led_by_bot: int = 0
    needless: int = 0
    never: int = 0
    never_answered: int = 0
    problems: list[str] = field(default_factory=list)


def read_dialogues(path: Path) -> list[Dialogue]:
    """Read scripted dialogues: a YAML list, or JSON objects, one per line, plain or gzip.

    Raises ConfigError naming each line, or each dialogue of a list, that is not valid.
    """
    if path.suffix in _YAML:
        return _of_list(read_yaml(path), path)
    try:
        text = read_unpacked(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    found: list[Dialogue] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines()[:_MAX_LINES], 1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=Dialogue))
            except msgspec.MsgspecError as error:
                problems.append(f"line {number}: {error}")
    if problems:
        raise ConfigError(problems, where=str(path))
    return found


def _of_list(content: Any, path: Path) -> list[Dialogue]:
    if not isinstance(content, list):
        raise ConfigError("is not a list of dialogues, each with id, language, kind and turns", where=str(path))
    found: list[Dialogue] = []
    problems: list[str] = []
    for number, each in enumerate(content, 1):
        try:
            found.append(msgspec.convert(each, Dialogue))
        except msgspec.ValidationError as error:
            name = each.get("id", number) if isinstance(each, dict) else number
            hint = "; put yes and no into quotes" if "got `bool`" in str(error) else ""
            problems.append(f"dialogue {name}: {error}{hint}")
    if problems:
        raise ConfigError(problems, where=str(path))
    return found


def replay(dialogues: Sequence[Dialogue], conversations: Conversations, read: Read) -> Report:
    """Play each dialogue as a new conversation; `read` computes the facts of a text."""
    report = Report()
    for dialogue in dialogues:
        problems, states, spoken = _played(dialogue, conversations, read)
        report.dialogues += 1
        report.as_scripted += not problems
        report.problems += [f"{dialogue.id}: {each}" for each in problems]
        handed_over = "waiting" in states
        if dialogue.kind == "wish":
            report.wishes += 1
            report.wishes_met += handed_over
        elif dialogue.kind == "flow":
            report.led_by_bot += 1
            report.needless += handed_over
        elif dialogue.kind == "never":
            report.never += 1
            report.never_answered += not handed_over or spoken
    return report


def _played(dialogue: Dialogue, conversations: Conversations, read: Read) -> tuple[list[str], list[str], bool]:
    """Problems, states after each turn, and True if the bot said more than the hand-off in the last scripted turn."""
    problems: list[str] = []
    states: list[str] = []
    spoken = False
    for number, turn in enumerate(dialogue.turns, 1):
        request = TurnRequest(turn=number, speaker="customer", text=turn.say)
        try:
            taken = conversations.take(dialogue.id, request, read(turn.say))
        except TurnRefused as refused:
            problems.append(f"turn {number} {turn.say!r}: {refused}")
            break
        answer = taken.answer
        states.append(answer.state)
        spoken = any(each.step not in {"handoff", "waiting"} for each in answer.say)
        problems += [f"turn {number} {turn.say!r}: {each}" for each in _differences(turn, answer, taken.conversation)]
    return problems, states, spoken


def _differences(turn: ScriptedTurn, answer: Answer, after: Conversation | None) -> Iterator[str]:
    reason = answer.handoff.reason if answer.handoff is not None else None
    outcome = after.outcome if after is not None else None
    for name, expected, actual in (
        ("state", turn.state, answer.state),
        ("ask", turn.ask, answer.ask),
        ("reason", turn.reason, reason),
        ("outcome", turn.outcome, outcome),
    ):
        if expected is not None and expected != actual:
            yield f"{name} is {actual}, not {expected}" + (f" ({reason})" if name == "state" and reason else "")
