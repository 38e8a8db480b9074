"""What a conversation gets from the knowledge base: public passages, word for word, or nothing."""

import pytest

from triage.assist.answers.model import Answer, AnswerSpan
from triage.assist.conversations.knowledge import QuotedKnowledge, text_of_conversation
from triage.assist.conversations.store import MemoryStore
from triage.errors import Unavailable
from triage.schemas.conversation import Answer as TurnAnswer
from triage.schemas.conversation import Conversation, Said, Turn


def span(text: str, language: str = "en", audience: str = "public") -> AnswerSpan:
    return AnswerSpan(
        text=text, passage=f"p-{text}", article="a", title="A", version="1", language=language, audience=audience,
        start=0, end=len(text), score=1.0,
    )  # fmt: skip


class Answerer:
    """Answers with the given passages, or fails."""

    def __init__(self, *spans: AnswerSpan, error: Exception | None = None) -> None:
        self.spans, self.error, self.asked = spans, error, []

    def answer(self, question, text, intent=None):
        if self.error:
            raise self.error
        self.asked.append((question, text))
        return Answer(
            answered=bool(self.spans), confidence=0.9, language="en", answer=list(self.spans), ranking=[], cases=[]
        )  # fmt: skip


def test_passages_are_quoted_as_they_are():
    answerer = Answerer(span("Refunds take 3 days."))
    said = QuotedKnowledge(answerer).cited("how long?", "en")
    assert said == [Said(text="Refunds take 3 days.", step="knowledge", passage="p-Refunds take 3 days.")]
    ((question, text),) = answerer.asked
    assert (question.audience, question.language, text) == ("public", "en", "how long?")


@pytest.mark.parametrize("passage", [span("只需三天", "zh"), span("Call the back office", audience="internal")])
def test_passages_for_others_are_never_said(passage):
    assert QuotedKnowledge(Answerer(passage)).cited("how long?", "en") == []


@pytest.mark.parametrize("answerer", [Answerer(), Answerer(error=Unavailable("elasticsearch", "no answer"))])
def test_without_evidence_nothing_is_said(answerer):
    assert QuotedKnowledge(answerer).cited("how long?", "en") == []


def test_the_text_of_a_conversation_is_what_the_customer_wrote_last():
    store = MemoryStore()
    turns = [
        Turn(turn=n, speaker=speaker, text=text, language="en", at="", digest="",
             answer=TurnAnswer(turn=n, state="bot", say=[], suggestions=[]))
        for n, (speaker, text) in enumerate([("customer", "one"), ("customer", "two"), ("agent", "reply"),
                                             ("customer", "three"), ("customer", "four")], 1)
    ]  # fmt: skip
    store.write(Conversation(id="c", revision=1, state="bot", language="en", created_at="", updated_at="", turns=turns))
    assert text_of_conversation(store, "c") == "two\nthree\nfour"
    assert text_of_conversation(store, "absent") is None


class Loud:
    def rephrased(self, question: str, passage: str, language: str) -> str:
        return f"{passage.upper()} ({question}, {language})"


def test_only_a_single_passage_is_rephrased_and_it_stays_cited():
    (said,) = QuotedKnowledge(Answerer(span("Open Orders.")), Loud()).cited("where?", "en")
    assert (said.text, said.passage) == ("OPEN ORDERS. (where?, en)", "p-Open Orders.")
    two = QuotedKnowledge(Answerer(span("Open Orders."), span("Choose it.")), Loud()).cited("where?", "en")
    assert [each.text for each in two] == ["Open Orders.", "Choose it."]
