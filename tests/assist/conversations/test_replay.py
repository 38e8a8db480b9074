"""Scripted dialogues: wishes for a person are met, the bot leads what it may, and never answers what it must not."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from conversing import make_conversations

from triage.assist.conversations.facts import facts_by_rules
from triage.assist.conversations.replay import SHIPPED, read_dialogues, replay
from triage.config import RedactionSettings
from triage.errors import ConfigError
from triage.redaction import Redactor

REDACTOR = Redactor(RedactionSettings())


def test_the_shipped_dialogues_go_as_scripted() -> None:
    dialogues = read_dialogues(SHIPPED)
    assert len(dialogues) >= 200
    languages = Counter(each.language for each in dialogues)
    assert min(languages["en"], languages["zh"]) >= 90
    found = replay(dialogues, make_conversations(), lambda text: facts_by_rules(text, REDACTOR))
    assert found.problems == []
    assert found.wishes_met / found.wishes >= 0.98
    assert found.needless / found.led_by_bot <= 0.05
    assert found.never_answered == 0


def test_a_dialogue_that_goes_another_way_is_named_with_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    line = {"id": "a", "language": "en", "kind": "flow", "turns": [{"say": "human please", "state": "bot", "ask": "x"}]}
    path.write_text(json.dumps(line) + "\n\n", "utf-8")
    found = replay(read_dialogues(path), make_conversations(), lambda text: facts_by_rules(text, REDACTOR))
    assert found.problems == [
        "a: turn 1 'human please': state is waiting, not bot (asked_for_person)",
        "a: turn 1 'human please': ask is None, not x",
    ]
    assert (found.needless, found.led_by_bot, found.as_scripted) == (1, 1, 0)


def test_a_file_that_holds_no_dialogues_is_refused_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "a"}\n{'))
    with pytest.raises(ConfigError, match=r"2 problems:\n  - line 1: .*language.*\n  - line 2: "):
        read_dialogues(path)
    path.write_bytes(b"no gzip")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_dialogues(path)


def test_dialogues_are_read_from_yaml_and_each_mistake_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    one = "- {id: zh-1, language: zh, kind: wish, turns: [{say: 转人工, state: waiting}]}\n"
    path.write_text(one, "utf-8")
    assert [each.turns[0].say for each in read_dialogues(path)] == ["转人工"]
    path.write_text(one + "- {id: en-2, language: en, kind: flow, turns: [{say: yes}]}\n- 3\n", "utf-8")
    with pytest.raises(ConfigError, match=r"dialogue en-2: .*got `bool`.*quotes\n  - dialogue 3: "):
        read_dialogues(path)
    path.write_text("id: zh-1", "utf-8")
    with pytest.raises(ConfigError, match="not a list of dialogues"):
        read_dialogues(path)
