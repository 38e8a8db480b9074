"""The demo's conversations, on a store in memory: two are resolved by the bot, one waits for a person."""

import pytest
from conversing import FixedWebhooks

from triage.assist.conversations import assemble, elastic_store
from triage.assist.conversations.store import MemoryStore
from triage.cli.demo_conversations import DIALOGUES, converse
from triage.config import load_settings


def test_two_are_resolved_and_one_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    store, said = MemoryStore(), []
    monkeypatch.setattr(elastic_store, "ElasticStore", lambda *_: store)
    monkeypatch.setattr(assemble, "HttpWebhooks", lambda _: FixedWebhooks())
    converse(load_settings(None, {}), said.append)
    assert store.counts() == {"closed": 2, "waiting": 1}
    assert len(said) == len(DIALOGUES) == 3
    assert said[2] == "conversation demo-person: 3 turns, then waiting, asked_for_person"
