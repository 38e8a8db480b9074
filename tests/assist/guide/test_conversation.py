"""A playbook of the kind guide: questions, results word for word, wishes to drop, and a person without a catalogue."""

import guides
import pytest
from conversing import GUARD, PLAYBOOKS, Customer, FixedWebhooks, make_conversations

from triage.assist.conversations.bot import Bot
from triage.assist.conversations.suggestions import NextSteps
from triage.assist.conversations.turns import TurnTaker
from triage.assist.guide.conversation import GuidedConversation
from triage.assist.playbooks.loader import parse_playbook
from triage.config import ConversationSettings
from triage.errors import ConfigError, Unavailable


def customer(guide):
    bot = Bot(PLAYBOOKS, GUARD, FixedWebhooks(), guide=guide)
    taker = TurnTaker(bot, NextSteps(PLAYBOOKS, bot.matcher), ConversationSettings())
    return Customer(make_conversations(taker=taker))


@pytest.fixture
def talk():
    return customer(GuidedConversation(guides.adviser()))


def test_it_asks_and_then_recommends(talk):
    answer = talk.says("Please help me choose a laptop")
    assert (answer.state, answer.ask) == ("bot", "need")
    for _ in range(3):
        answer = talk.says("between 600 and 900 dollars")
        if answer.ask == "resolved":
            break
    texts = {item.text["en"] for item in guides.items()}
    shown = [each for each in answer.say if each.passage]
    assert shown
    assert all(each.text.split("\n")[-1] in texts for each in shown)
    assert talk.says("yes").state == "closed"


def test_chinese_and_a_wish_to_drop(talk):
    answer = talk.says("帮我选玻璃水壶，1.5升以上，200元以内", language="zh")
    texts = [each.text for each in answer.say]
    assert texts[0] == "目前没有商品符合全部要求。"
    assert any("200元以内" in text for text in texts)
    assert answer.state == "waiting"


def test_at_most_three_questions(talk):
    asked = [talk.says("help me choose").say[-1].text]
    for _ in range(5):
        answer = talk.says("it does not matter")
        if answer.ask != "need":
            break
        asked.append(answer.say[-1].text)
    assert len(asked) == len(set(asked)) == 3


def test_the_person_who_takes_over_sees_the_wishes(talk):
    talk.says("help me choose a phone under 300 dollars, not black")
    answer = talk.says("I want to talk to a person")
    assert "need: price<=300 USD; category=phone; colour!=black" in answer.handoff.summary


class Broken:
    def advise(self, request):
        raise Unavailable("elasticsearch", "gone")


@pytest.mark.parametrize("guide", [None, GuidedConversation(Broken())])
def test_without_a_catalogue_a_person_takes_over(guide):
    answer = customer(guide).says("Please help me choose a phone")
    assert (answer.state, answer.handoff.reason) == ("waiting", "playbook")


PLAYBOOK = """
name: g
kind: {kind}
version: "1"
title: {{en: g, zh: g}}
slots:
  need: {{kind: {slot}, title: {{en: n, zh: n}}}}
steps:
  - {{name: a, {act}, next: [{{when: {{check: found}}, to: b}}, {{to: b}}]}}
  - {{name: b, handoff: playbook}}
"""


@pytest.mark.parametrize(
    ("kind", "slot", "act", "said"),
    [
        ("service", "text", "advise: need", "a guide has one step with advise, others none"),
        ("guide", "text", "say: {en: x, zh: x}", "a guide has one step with advise"),
        ("guide", "number", "advise: need", "the slot need is of kind number; it must be text"),
        ("guide", "text", "advise: ned", "advise: no such slot: ned; did you mean need?"),
    ],
)
def test_mistakes_of_a_guide_are_named(kind, slot, act, said):
    with pytest.raises(ConfigError) as refused:
        parse_playbook(PLAYBOOK.format(kind=kind, slot=slot, act=act).encode(), "g.yaml")
    assert said in str(refused.value)
