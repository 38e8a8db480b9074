"""What agents picked teaches: each pick with the situation before it, as it is when suggestions are ranked."""

from pathlib import Path

import msgspec
import pytest
from conversing import PLAYBOOKS, Customer, make_conversations

from triage.assist.conversations.store import MemoryStore
from triage.assist.policy.artifact import PolicyModel
from triage.assist.policy.command import fit_picks
from triage.assist.policy.picks import picks, situation
from triage.assist.policy.ranking import PolicyRanking
from triage.errors import ConfigError
from triage.schemas.conversation import Conversation


def talked(number: int, step: str) -> Conversation:
    """A customer with a refund asks for a person, and the agent picks a step."""
    store = MemoryStore()
    talk = Customer(make_conversations(store), f"c-{number}")
    talk.says("I want a refund")
    talk.says("112-3456789-0123456, can I talk to a human")
    talk.agent("Of course.", step=step)
    talk.says("thank you")
    talk.agent("Anything else?")
    found = store.read(f"c-{number}")
    assert found is not None
    return found


def test_a_pick_is_a_decision_with_what_was_known_before_it() -> None:
    conversation = talked(1, "ask_reason")
    (found,) = picks([conversation], PLAYBOOKS)
    assert (found.task, found.action, found.last) == ("refund", "ask_reason", "customer")
    assert found.said == "I want a refund 112-3456789-0123456, can I talk to a human"
    assert found.actions[0] == "ask_order"
    # Suggestions are ranked by the same, or what was learnt would not fit.
    playbook = PLAYBOOKS.by_name["refund"]
    assert situation(playbook, "c-1", conversation.turns[:2], ["ask_order"], "ask_reason") == found


def test_steps_that_are_no_more_and_turns_without_a_pick_teach_nothing() -> None:
    assert list(picks([talked(1, "of_an_older_version")], PLAYBOOKS)) == []
    began = talked(2, "late_parcel/ask_order")
    assert list(picks([began], PLAYBOOKS)) == []


def test_a_policy_of_picks_suggests_what_agents_do(tmp_path: Path) -> None:
    told: list[str] = []
    names = [step.name for step in PLAYBOOKS.by_name["refund"].steps]
    step = names[-3]
    conversations = [talked(number, step) for number in range(20)]
    fit_picks(conversations, PLAYBOOKS, tmp_path / "policy", 0.5, 20, told.append)
    assert told[0] == "20 picks in 20 conversations"
    ranking = PolicyRanking(PolicyModel(tmp_path / "policy"))
    before = conversations[0]
    scores = ranking.scores(PLAYBOOKS.by_name["refund"], names, _until(before, 2))
    assert scores is not None
    assert max(scores, key=lambda name: scores[name]) == step


def test_without_picks_there_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no agent has picked"):
        fit_picks([], PLAYBOOKS, tmp_path, 1.0, 5, lambda _: None)


def _until(conversation: Conversation, turns: int) -> Conversation:
    return msgspec.structs.replace(conversation, turns=conversation.turns[:turns], steps=["ask_order"])
