"""State that other versions of the alerter stored is continued, or refused by name."""

import json
from pathlib import Path

import msgspec
import pytest
from engine_rig import Messages, Table, advance_all, make, now, play, spike_rule, static_rule

from triage.alerting.engine import state as stored
from triage.errors import ConfigError

STATES = Path(__file__).parent / "states"
# The rules of the alerters that stored them.
RULES = [static_rule("spike"), spike_rule("surprise")]


def continued(name, **options):
    """An engine that continues from `states/NAME.json`, and its messages."""
    engine = make(now(), rules=RULES, group_by="intent", **options)
    engine.restore(json.loads((STATES / name).read_text()))
    messages = Messages()
    messages.offset = 10_000
    return engine, messages


def test_state_without_who_took_pages_continues_with_one_resolve_where_a_page_arrived():
    """delivery: log and webhook took its page; billing: the log did; price: nobody did, and it is over."""
    engine, messages = continued("version-0.json")
    owed = {page.alert.dimensions["intent"]: page for page in engine.take_changes().notifications}
    assert {intent: page.pending for intent, page in owed.items()} == {
        "billing": ["webhook"],
        "price": ["log", "webhook"],
    }
    episodes = {episode.key: episode for episode in engine._episodes.all() if episode.rule == "spike"}
    assert {key: episode.taken_by for key, episode in episodes.items()} == {
        "intent=delivery": ["log", "webhook"],
        "intent=billing": ["log"],
        "intent=price": [],
    }
    assert engine.alert(episodes["intent=delivery"]).paged
    assert not engine.alert(episodes["intent=billing"]).paged
    engine.delivered(owed["billing"].alert.dedup_key, "firing", "webhook", "HTTP 400")
    sent = play(engine, [messages.mark(step) for step in range(7, 16)])
    assert {page.alert.dimensions["intent"]: page.pending for page in sent if page.event == "resolved"} == {
        "delivery": ["log", "webhook"],
        "billing": ["log"],
        "price": ["log", "webhook"],
    }


def test_state_is_stored_with_its_version_and_an_older_alerter_can_read_it():
    engine, messages, table = make(now()), Messages(), Table()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    advance_all(engine, table)
    core = stored.unpack(table.entries["state"])
    assert core.version == stored.VERSION
    assert [episode.taken_by for episode in core.episodes] == [[]]


def test_state_of_a_newer_alerter_is_refused_with_what_to_do():
    core = stored.Core(stored.Progress(), version=stored.VERSION + 1)
    with pytest.raises(ConfigError, match=f"of version {stored.VERSION + 1}.*delete the topic"):
        make(now()).restore({"state": stored.pack(core)})
    assert msgspec.structs.fields(stored.Core)[-1].name == "version", "unknown fields are ignored by older alerters"
