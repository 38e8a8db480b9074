"""Ranks the next steps of a conversation by a fitted policy."""

from collections.abc import Sequence

from triage.assist.playbooks.check import successors
from triage.assist.playbooks.model import Playbook
from triage.assist.policy.artifact import PolicyModel
from triage.assist.policy.dialogues import Decision, plain_action
from triage.assist.policy.features import Graph, graph_of
from triage.schemas.conversation import Conversation


class PolicyRanking:
    """Ranks legal steps by what agents did in conversations like this. Thread-safe.

    For a playbook that the policy was not fitted on, only what holds for any playbook counts.
    """

    def __init__(self, model: PolicyModel) -> None:
        self._model = model
        self._graphs: dict[str, Graph] = {}

    def scores(self, playbook: Playbook, legal: Sequence[str], conversation: Conversation) -> dict[str, float] | None:
        if not legal:
            return None
        graph = self._graphs.get(playbook.label)
        if graph is None:
            graph = self._graphs[playbook.label] = _graph(playbook)
            if len(self._graphs) > 256:
                self._graphs.pop(next(iter(self._graphs)))
        steps, probabilities = self._model.ranked(_decision(playbook, conversation), graph, list(legal))
        return dict(zip(steps, map(float, probabilities), strict=True))


def _graph(playbook: Playbook) -> Graph:
    replies = {
        step.name: (step.say or {}).get("en") or next(iter((step.say or {}).values()), "") for step in playbook.steps
    }
    return graph_of(playbook.name, replies, successors(playbook))


def _decision(playbook: Playbook, conversation: Conversation) -> Decision:
    said: list[str] = []
    earlier: list[str] = []
    for turn in conversation.turns:
        if turn.speaker == "customer":
            said.append(turn.text)
        else:
            earlier, said = [*earlier, *said], []
    names = {step.name for step in playbook.steps}
    return Decision(
        dialogue=conversation.id,
        task=playbook.name,
        actions=tuple(plain_action(step) for step in conversation.steps if step in names),
        said=" ".join(said),
        earlier=" ".join(earlier),
        found="",
        last="customer" if said else "agent" if conversation.turns else "start",
    )
