"""Changed playbooks are used at once; a conversation ends by the version it began with; mistakes are refused."""

from functools import partial
from pathlib import Path

import pytest
from conversing import Customer, FixedWebhooks, make_conversations

from triage.assist.conversations.assemble import build_taker
from triage.assist.conversations.reloading import PlaybookReload
from triage.assist.playbooks.loader import folder_identity
from triage.config import ConversationSettings

PLAYBOOK = """
name: repair
version: "1"
title: {en: Repair, zh: 维修}
triggers: {phrases: {en: [repair], zh: [维修]}}
slots: {model: {kind: text, title: {en: model, zh: 型号}}}
steps:
  - {name: ask, say: {en: "Which model is it?", zh: "请问型号？"}, ask: model, next: done}
  - {name: done, say: {en: "Thank you, we will call.", zh: "谢谢，我们会联系您。"}, next: end}
  - {name: end, end: resolved}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "repair.yaml").write_text(PLAYBOOK, "utf-8")
    return tmp_path


def test_a_changed_file_is_used_for_the_next_conversation_and_not_for_this_one(folder: Path) -> None:
    build = partial(build_taker, ConversationSettings(playbooks=folder), FixedWebhooks())
    conversations = make_conversations(taker=build())
    reload = PlaybookReload(conversations, partial(folder_identity, folder), build, folder_identity(folder))
    before = conversations.taker
    reload.refresh()
    assert conversations.taker is before
    first = Customer(conversations, "c-1")
    assert first.says("I need a repair").say[0].text == "Which model is it?"
    (folder / "repair.yaml").write_text(PLAYBOOK.replace("we will call", "we will write").replace("Which", "What"))
    reload.refresh()
    assert conversations.taker is not before
    assert first.says("X100").say[0].text == "Thank you, we will call."
    assert Customer(conversations, "c-2").says("I need a repair").say[0].text == "What model is it?"


def test_a_mistake_is_told_once_and_the_playbooks_before_it_stay(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr("triage.assist.conversations.reloading.log.warning", lambda *args, **_: told.append(args))
    build = partial(build_taker, ConversationSettings(playbooks=folder), FixedWebhooks())
    conversations = make_conversations(taker=build())
    reload = PlaybookReload(conversations, partial(folder_identity, folder), build, folder_identity(folder))
    before = conversations.taker
    (folder / "repair.yaml").write_text(PLAYBOOK.replace("next: done", "next: nowhere"))
    for _ in range(3):
        reload.refresh()
    assert (conversations.taker, told) == (before, [("playbooks_refused",)])
    (folder / "repair.yaml").unlink()
    reload.refresh()
    assert conversations.taker is before
    (folder / "repair.yaml").write_text(PLAYBOOK + "# mended", "utf-8")
    reload.refresh()
    assert conversations.taker is not before
