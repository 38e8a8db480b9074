"""Ranks the next steps of a conversation by a fitted policy."""

from collections.abc import Sequence

from triage.assist.playbooks.model import Playbook
from triage.assist.policy.artifact import PolicyModel
from triage.assist.policy.features import Graph
from triage.assist.policy.picks import playbook_graph, situation
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
            graph = self._graphs[playbook.label] = playbook_graph(playbook)
            if len(self._graphs) > 256:
                self._graphs.pop(next(iter(self._graphs)))
        made = situation(playbook, conversation.id, conversation.turns, conversation.steps)
        steps, probabilities = self._model.ranked(made, graph, list(legal))
        return dict(zip(steps, map(float, probabilities), strict=True))
