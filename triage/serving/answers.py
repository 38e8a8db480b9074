"""Answers with evidence over HTTP: checks the question, finds its text, and lets the answerer work."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.assist.answers.answerer import MOST_RANKED, Answerer
from triage.assist.answers.model import Answer, Question
from triage.assist.encoder.base import SentenceEncoder
from triage.clock import Clock, rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.evidence import store_unanswered
from triage.elastic.explore import find_record
from triage.errors import TriageError
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.redaction import Redactor
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.evidence import Unanswered
from triage.schemas.knowledge import pack_vector
from triage.web.problem import Problem

log = get_logger("triage.api")

MOST_QUESTION_CHARS = 20_000
_NOTED_CHARS = 500
_SOURCES = ("question", "record", "conversation")

TextOfConversation = Callable[[str], str | None]


class AnswerService:
    """Answers the questions of the API with evidence; its methods must be called on the event loop."""

    def __init__(
        self,
        answerer: Answerer,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        metrics: Metrics,
        redactor: Redactor,
        clock: Clock,
        text_of_conversation: TextOfConversation | None = None,
        encoder: SentenceEncoder | None = None,
    ) -> None:
        """`encoder` makes the vectors by which the console groups what was not found; None: it groups by article."""
        self._answerer = answerer
        self._client, self._settings = client, settings
        self._metrics, self._redactor, self._clock = metrics, redactor, clock
        self._text_of_conversation = text_of_conversation
        self._encoder = encoder

    async def answer(self, body: Any) -> bytes:
        """Return the answer to the decoded JSON `body` (schema `Question`), as JSON (schema `Evidence`).

        Raises Problem 422 for a body that does not follow the schema, 404 for an unknown record or conversation,
        Unavailable without Elasticsearch.
        """
        question = question_of(body)
        with self._metrics.answer_seconds.time():
            answer = await asyncio.to_thread(self._answer, question)
        outcome = "answered" if answer.answered else answer.why_not or "not_sure"
        self._metrics.answers.labels(question.audience, outcome).inc()
        return msgspec.json.encode(answer)

    def _answer(self, question: Question) -> Answer:
        text, intent = question.question or "", None
        if question.record is not None:
            hit = find_record(self._client, self._settings, question.record)
            if hit is None:
                raise Problem(404, "no_such_record", f"the index has no record {question.record[:200]!r}")
            text, intent = text_of(hit.record), hit.record.intent.label
        elif question.conversation is not None:
            found = self._text_of_conversation(question.conversation) if self._text_of_conversation else None
            if found is None:
                raise Problem(
                    404, "no_such_conversation", f"no conversation has the id {question.conversation[:200]!r}"
                )
            text = found
        answer = self._answerer.answer(question, text, intent)
        if not answer.answered and answer.why_not != "no_words":
            self._note(question, text, intent, answer)
        return answer

    def _note(self, question: Question, text: str, intent: str | None, answer: Answer) -> None:
        """Keep what was asked and not found; the answer does not depend on it."""
        # The vector is made of the redacted text: nothing of what was removed may be read from it.
        noted = self._redactor.redact_text(text[:_NOTED_CHARS])
        asked = Unanswered(
            doc="unanswered",
            at=rfc3339(self._clock.now_ms()),
            why_not=answer.why_not or "",
            language=answer.language,
            audience=question.audience,
            confidence=answer.confidence,
            text="" if question.record else noted,
            record=question.record,
            intent=intent,
            article=answer.ranking[0].article if answer.ranking else None,
        )
        try:
            if self._encoder is not None:
                asked.encoder = self._encoder.version
                asked.exact = pack_vector(self._encoder.encode_questions([noted])[0])
            store_unanswered(self._client, self._settings, asked)
        except TriageError as error:
            log.warning("unanswered_not_kept", error=str(error))


def question_of(body: Any) -> Question:
    """Decode a question from decoded JSON. Raises Problem 422 naming the field that is not valid."""
    if not isinstance(body, dict):
        raise Problem(422, "bad_question", 'the body is an object: {"question": "..."}')
    try:
        question = msgspec.convert(body, Question)
    except msgspec.ValidationError as error:
        raise Problem(422, "bad_question", str(error)) from error
    given = [name for name in _SOURCES if getattr(question, name) is not None]
    if len(given) != 1:
        said = f"it has {' and '.join(given)}" if given else "it has none of them"
        raise Problem(422, "bad_question", f"a question has one of {', '.join(_SOURCES)}; {said}")
    if len(question.question or "") > MOST_QUESTION_CHARS:
        length = len(question.question or "")
        raise Problem(422, "bad_question", f"question has {length} characters; {MOST_QUESTION_CHARS} at most")
    if not 1 <= question.k <= MOST_RANKED:
        raise Problem(422, "bad_question", f"k is {question.k}; it is 1 to {MOST_RANKED}")
    return question


def text_of(record: EnrichedRecord) -> str:
    """The text that the writer of a record wrote, without quotes and footers."""
    return record.parts.joined(record.text)
