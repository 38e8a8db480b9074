"""Connects conversations to the knowledge base: the bot quotes public passages, people ask with its texts."""

from typing import Protocol

from triage.assist.answers.model import Answer, Question
from triage.assist.conversations.rephrasing import AsItIs, Rephraser
from triage.assist.conversations.store import ConversationStore
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.conversation import Said

log = get_logger("triage.conversations")

STEP = "knowledge"
"""Name of the step under which the bot says passages."""
_TURNS = 3


class AnswersQuestions(Protocol):
    """Answers a question from the knowledge base; raises a TriageError if it cannot be searched."""

    def answer(self, question: Question, text: str, intent: str | None = None) -> Answer: ...


class QuotedKnowledge:
    """Answers a customer by passages that customers may read, in the language of the conversation.

    They are said word for word, unless a `rephraser` of the operator puts a single one in other words.
    """

    def __init__(self, answerer: AnswersQuestions, rephraser: Rephraser | None = None) -> None:
        self._answerer, self._rephraser = answerer, rephraser or AsItIs()

    def cited(self, question: str, language: str) -> list[Said]:
        """Return the passages that answer the question; empty if the evidence is too weak or cannot be read."""
        asked = Question(question=question, language=language, audience="public", k=1)
        try:
            found = self._answerer.answer(asked, question)
        except TriageError as error:
            # The bot then asks again or hands over, as it does without a knowledge base.
            log.warning("knowledge_not_searched", error=str(error))
            return []
        if not found.answered:
            return []
        spans = [span for span in found.answer if span.audience == "public" and span.language == language]
        if len(spans) == 1:
            text = self._rephraser.rephrased(question, spans[0].text, language)
            return [Said(text=text, step=STEP, passage=spans[0].passage)]
        return [Said(text=span.text, step=STEP, passage=span.passage) for span in spans]


def text_of_conversation(store: ConversationStore, identity: str) -> str | None:
    """The customer's last three texts in the conversation `identity`, redacted; None without such a conversation.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    found = store.read(identity)
    if found is None:
        return None
    return "\n".join([turn.text for turn in found.turns if turn.speaker == "customer"][-_TURNS:])
