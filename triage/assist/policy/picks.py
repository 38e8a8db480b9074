"""Makes decisions of conversations: what agents picked, and what they knew when they did."""

from collections.abc import Iterable, Iterator, Sequence

from triage.assist.playbooks.check import successors
from triage.assist.playbooks.loader import Playbooks
from triage.assist.playbooks.model import Playbook
from triage.assist.policy.dialogues import Decision, plain_action
from triage.assist.policy.features import Graph, graph_of
from triage.schemas.conversation import Conversation, Turn


def playbook_graph(playbook: Playbook) -> Graph:
    """The graph of a playbook, with its sentences in English where it has them."""
    replies = {
        step.name: (step.say or {}).get("en") or next(iter((step.say or {}).values()), "") for step in playbook.steps
    }
    return graph_of(playbook.name, replies, successors(playbook))


def situation(
    playbook: Playbook, conversation: str, turns: Sequence[Turn], steps: Iterable[str], action: str = ""
) -> Decision:
    """Return an agent's decision after `turns` of a conversation (its id), in which the steps `steps` had been taken.

    `action` is the step that the agent took then, empty if it is to be predicted.
    """
    said: list[str] = []
    earlier: list[str] = []
    for turn in turns:
        if turn.speaker == "customer":
            said.append(turn.text)
        else:
            earlier, said = [*earlier, *said], []
    names = {step.name for step in playbook.steps}
    return Decision(
        dialogue=conversation,
        task=playbook.name,
        actions=tuple(plain_action(step) for step in steps if step in names),
        said=" ".join(said),
        earlier=" ".join(earlier),
        found="",
        last="customer" if said else "agent" if turns else "start",
        action=plain_action(action),
    )


def picks(conversations: Iterable[Conversation], playbooks: Playbooks) -> Iterator[Decision]:
    """Yield a decision for each suggested step that an agent picked: the step, with the turns and steps before it.

    Not included: the step that began a playbook, and steps and playbooks that `playbooks` does not have any more.
    """
    for conversation in conversations:
        name: str | None = None
        steps: list[str] = []
        for number, turn in enumerate(conversation.turns):
            picked = turn.step if turn.speaker == "agent" else None
            if picked is not None:
                before, slash, first = picked.partition("/")
                if slash:
                    # It begins this playbook; the first step was not chosen among its steps.
                    name, picked = before, first
                playbook = playbooks.by_name.get(name or _name_of(conversation))
                if not slash and playbook is not None and playbook.step(picked) is not None:
                    yield situation(playbook, conversation.id, conversation.turns[:number], steps, picked)
                steps.append(picked)
            steps += [each.step for each in turn.answer.say]


def _name_of(conversation: Conversation) -> str:
    """The name in the label `name@version+hash` of the conversation's playbook."""
    return (conversation.playbook or "").partition("@")[0]
