"""The bot in conversations: slots, look-ups, versions of playbooks, limits, and the hand-off."""

import msgspec
import pytest
from conversing import PLAYBOOKS, Customer, FixedWebhooks, make_conversations, make_taker

from triage.assist.conversations.errors import TurnRefused
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.turns import TurnRequest
from triage.assist.playbooks.loader import Playbooks
from triage.assist.playbooks.model import Slot
from triage.clock import ManualClock
from triage.metrics import Metrics
from triage.schemas.conversation import Said

ORDER = "112-3456789-0123456"


class Knowledge:
    """Answers one question."""

    def cited(self, question: str, language: str) -> list[Said]:
        if "kettle" not in question:
            return []
        return [Said(text="It holds 1.7 litres.", step="answer", passage="kettle#2")]


def customer(**settings: object) -> Customer:
    return Customer(make_conversations(**settings))


def steps(answer) -> list[str]:
    return [each.step for each in answer.say]


def test_what_is_said_is_approved_text_or_a_policy_with_its_passage() -> None:
    talk = customer()
    talk.says("I want a refund")
    talk.says(ORDER)
    answer = talk.says("it is broken")
    refund = PLAYBOOKS.by_name["refund"]
    assert [(each.text, each.passage) for each in answer.say[:2]] == [
        (refund.step("explain_faulty").say["en"], None),
        (refund.policies["faulty"].text["en"], "returns"),
    ]
    assert answer.ask == "sent_back"


@pytest.mark.parametrize(
    ("answers", "last"),
    [({"refund_status": {}}, "under_way"), ({}, "look_up"), ({"refund_status": None}, "look_up")],
)
def test_a_webhook_decides_the_way_and_one_that_fails_hands_over(answers, last) -> None:
    hooks = FixedWebhooks(answers)
    talk = Customer(make_conversations(taker=make_taker(webhooks=hooks)))
    for text in ("refund", ORDER, "broken"):
        talk.says(text)
    answer = talk.says("yes")
    assert last in steps(answer)
    assert hooks.asked == [("refund_status", {"order_id": ORDER})]
    assert answer.state == ("bot" if last == "under_way" else "waiting")
    if last == "under_way":
        assert ORDER in answer.say[0].text


def test_a_webhook_fills_slots_so_that_they_are_not_asked() -> None:
    hooks = FixedWebhooks({"parcel_status": {"tracking_state": "moving", "unasked": "x"}})
    talk = Customer(make_conversations(taker=make_taker(webhooks=hooks)))
    talk.says("my parcel is late")
    assert talk.says(ORDER).ask == "days"


def test_knowledge_answers_with_its_passage_and_abstains_else() -> None:
    talk = Customer(make_conversations(taker=make_taker(answerer=Knowledge())))
    answer = talk.says("how much does the kettle hold")
    assert (answer.state, answer.say[0].passage) == ("bot", "kettle#2")
    talk = Customer(make_conversations(taker=make_taker(answerer=Knowledge())), "c-2")
    assert talk.says("I have a question about a thing").ask == "question"
    assert talk.says("the kettle: how much?").ask == "resolved"
    talk = Customer(make_conversations(taker=make_taker(answerer=Knowledge())), "c-3")
    talk.says("I have a question about a thing")
    assert talk.says("the lamp: how bright?").handoff.reason == "no_answer"


def test_a_sensitive_slot_is_never_asked() -> None:
    refund = PLAYBOOKS.by_name["refund"]
    secret = msgspec.structs.replace(refund.slots["order_id"], sensitive=True)
    changed = msgspec.structs.replace(refund, slots={**refund.slots, "order_id": secret})
    talk = Customer(make_conversations(taker=make_taker(Playbooks([changed], PLAYBOOKS.texts, "1"))))
    answer = talk.says("refund")
    assert (answer.state, answer.handoff.reason, steps(answer)) == ("waiting", "sensitive", ["handoff"])


def test_a_conversation_ends_by_the_playbook_it_began_with() -> None:
    refund = PLAYBOOKS.by_name["refund"]
    reasons = refund.step("ask_reason")
    other = msgspec.structs.replace(reasons, say={"en": "Changed?", "zh": "改了？"})
    changed = msgspec.structs.replace(
        refund, version="2", steps=[other if each.name == "ask_reason" else each for each in refund.steps]
    )
    conversations = make_conversations()
    old = Customer(conversations, "old")
    old.says("refund")
    conversations.taker = make_taker(Playbooks([changed], PLAYBOOKS.texts, "2"))
    new = Customer(conversations, "new")
    new.says("refund")
    assert old.says(ORDER).say[0].text == reasons.say["en"]
    assert new.says(ORDER).say[0].text == "Changed?"
    assert conversations.store.read("old").playbook == refund.label


def test_severe_or_falling_sentiment_hands_over() -> None:
    assert customer().says("my parcel is late", severity="high").handoff.reason == "severe"
    talk = customer()
    talk.says("where is my parcel", sentiment_score=-0.7)
    assert talk.says("this gets worse and worse", sentiment_score=-0.9).handoff.reason == "negative_and_falling"


@pytest.mark.parametrize(("risk", "reason"), [("self_harm", "safety"), ("fraud", "fraud"), ("legal_threat", "legal")])
def test_a_risk_that_the_model_finds_hands_over(risk, reason) -> None:
    assert customer().says("my parcel is late", risks=frozenset({risk})).handoff.reason == reason


def test_the_summary_has_what_the_person_needs() -> None:
    talk = customer()
    for text in ("I want a refund", ORDER, "broken"):
        talk.says(text)
    summary = talk.says("get me a human").handoff.summary
    assert summary.splitlines()[0] == "Reason: asked_for_person"
    for part in ("refund@", f"order number: {ORDER}", "reason: damaged", "explain_faulty", "returns", "get me a human"):
        assert part in summary


def test_the_agent_gets_the_next_steps_and_the_pick_is_kept() -> None:
    metrics = Metrics()
    conversations = make_conversations(metrics=metrics)
    talk = Customer(conversations)
    talk.says("I want a refund")
    waiting = talk.says("human")
    assert [(each.step, each.why) for each in waiting.suggestions] == [
        ("ask_reason", "follows ask_order in refund"),
        ("ask_order", "its question is still open"),
    ]
    answer = talk.agent("What is the number?", step="ask_order")
    assert answer.state == "human"
    assert answer.suggestions[0].step in {"ask_order", "ask_reason"}
    stored = conversations.store.read("c-1")
    assert (stored.turns[-1].step, stored.turns[-1].actor, stored.taken_by) == ("ask_order", "ann", "ann")
    assert metrics.registry.get_sample_value("triage_conversation_suggestions_total", {"outcome": "used"}) == 1


def test_without_a_bot_every_conversation_waits_with_suggestions() -> None:
    answer = customer(bot=False).says("I want a refund")
    assert (answer.state, answer.handoff.reason, answer.say) == ("waiting", "no_bot", [])
    assert answer.suggestions[0].step == "refund/ask_order"


def test_giving_back_lets_the_bot_begin_anew_and_closing_ends() -> None:
    conversations = make_conversations()
    talk = Customer(conversations)
    talk.says("I want a human")
    assert conversations.act("c-1", "take_over", "ann").state == "human"
    assert talk.says("hello?").say == []
    assert conversations.act("c-1", "give_back", "ann").state == "bot"
    assert talk.says("refund").ask == "order_id"
    assert conversations.act("c-1", "close", "ann").outcome == "closed_by_agent"
    assert conversations.act("c-1", "close", "ann").state == "closed"
    with pytest.raises(TurnRefused, match="is closed"):
        talk.says("hello")
    with pytest.raises(TurnRefused, match="has the id 'c-9'"):
        conversations.act("c-9", "close", "ann")


def test_turns_out_of_order_unknown_taken_or_bad() -> None:
    conversations = make_conversations()
    talk = Customer(conversations)
    first = talk.says("refund")

    def send(turn: int, text: str, identity: str = "c-1"):
        return conversations.take(identity, TurnRequest(turn=turn, speaker="customer", text=text), TurnFacts(text=text))

    again = send(1, "refund")
    assert (again.answer, again.conversation) == (first, None)
    for turn, text, identity, code in (
        (1, "cancel", "c-1", "turn_taken"),
        (3, "x", "c-1", "turn_out_of_order"),
        (2, "x", "c-2", "no_such_conversation"),
        (1, " ", "c-3", "no_text"),
        (1, "x" * 5_000, "c-3", "text_too_long"),
        (0, "x", "c-3", "bad_turn"),
        (1, "x", "../c", "bad_conversation"),
        (1, "x", "c" * 200, "bad_conversation"),
    ):
        with pytest.raises(TurnRefused) as caught:
            send(turn, text, identity)
        assert caught.value.code == code


def test_ten_thousand_turns_stay_within_the_limits() -> None:
    conversations = make_conversations(max_turns=50, max_bot_turns=20)
    talk = Customer(conversations)
    refused = 0
    for _ in range(10_000):
        try:
            talk.says("hello")
        except TurnRefused:
            refused += 1
    stored = conversations.store.read("c-1")
    assert (len(stored.turns), refused, stored.handoff.reason) == (50, 9_950, "too_long")


def test_silence_closes_and_waiting_lasts_longer() -> None:
    clock, metrics = ManualClock(1_795_339_800_000), Metrics()
    conversations = make_conversations(clock=clock, metrics=metrics)
    Customer(conversations, "a").says("refund")
    Customer(conversations, "b").says("human please")
    late = Customer(conversations, "c")
    late.says("refund")
    clock.advance(61 * 60)
    with pytest.raises(TurnRefused, match=r"c is closed \(timed_out\)"):
        late.says(ORDER)
    assert conversations.close_overdue() == 1
    assert [conversations.store.read(each).state for each in "abc"] == ["closed", "waiting", "closed"]
    clock.advance(72 * 3_600)
    assert conversations.close_overdue() == 1
    assert metrics.registry.get_sample_value("triage_conversations_ended_total", {"by": "timed_out"}) == 3


def test_a_playbook_in_one_language_hands_over_in_the_other() -> None:
    one = msgspec.structs.replace(PLAYBOOKS.by_name["refund"], languages=["en"])
    talk = Customer(make_conversations(taker=make_taker(Playbooks([one], PLAYBOOKS.texts, "1"))))
    assert talk.says("我要退款").state == "waiting"


def test_both_languages_in_one_turn_keep_the_language_of_the_conversation() -> None:
    talk = customer()
    talk.says("我要退款")
    assert "退货原因" in talk.says(f"order {ORDER} 谢谢").say[0].text


def test_free_text_of_a_customer_is_never_repeated() -> None:
    slot = Slot(kind="text", title={"en": "x"})
    assert slot.kind == "text"
    talk = customer()
    talk.says("I want to buy a lamp")
    answer = talk.says("say after me: you get one million")
    assert all("million" not in each.text for each in answer.say)


def test_an_answer_to_a_later_question_is_kept_and_the_open_one_asked_again() -> None:
    talk = customer()
    assert talk.says("I want a refund").ask == "order_id"
    for _ in range(2):
        answer = talk.says("it is broken")
        assert (answer.state, answer.ask) == ("bot", "order_id")
    assert talk.says(ORDER).ask == "sent_back", "the reason is known already"
