"""Answers questions with evidence: parts of articles, word for word, or the reason why there is none."""

from collections.abc import Callable, Sequence

from triage.assist.answers.model import Answer, AnswerSpan, Question, RankedPassage, SimilarCase
from triage.assist.answers.texts import clean, language_of
from triage.assist.retrieval.fusion import Candidate
from triage.assist.retrieval.retriever import Retrieved, Retriever
from triage.assist.retrieval.words import has_words
from triage.clock import Clock, from_ms
from triage.elastic.passages import Scope

WHY_NOT = {
    "no_words": "the question has no words",
    "no_knowledge": "no article may be shown: the index is empty, or has none for this audience, product and intent",
    "nothing_found": "no article has anything to do with the question",
    "other_language": "no article is in the language of the question",
    "not_sure": "the best article is probably not the answer",
}
"""Reasons for which a question is not answered, with their text."""
MOST_RANKED = 50
_CLOSE = 0.01
_MOST_SPANS = 2
# The encoder compares texts of these across languages.
_ENCODED = frozenset(("en", "zh"))

# (text, number of cases, record to leave out)
FindCases = Callable[[str, int, str | None], Sequence[SimilarCase]]


class Answerer:
    """Answers questions from one index of knowledge and from resolved cases. Thread-safe."""

    def __init__(
        self,
        retriever: Retriever,
        clock: Clock,
        *,
        min_confidence: float,
        max_question_chars: int,
        find_cases: FindCases | None = None,
    ) -> None:
        self._retriever, self._clock = retriever, clock
        self._min_confidence, self._max_chars = min_confidence, max_question_chars
        self._find_cases = find_cases

    def answer(self, question: Question, text: str, intent: str | None = None) -> Answer:
        """Find evidence for `text`, which is the question, or the text of its record or conversation.

        `intent` is the text's by the model, for the confidence; None if it is not known. Blocks. Raises Unavailable,
        AccessDenied, DependencyError, ModelError.
        """
        asked = clean(text, self._max_chars)
        language = language_of(asked, question.language)
        if not has_words(asked):
            return _nothing("no_words", language)
        scope = Scope(
            day=from_ms(self._clock.now_ms()).date().isoformat(),
            public_only=question.audience == "public",
            product=question.product,
            intent=question.intent,
        )
        found = self._retriever.retrieve(asked, language, scope, intent)
        # Cases are of people within the house: a customer must not read what another one was answered.
        find_cases = self._find_cases if question.audience == "internal" else None
        cases = list(find_cases(asked, question.k, question.record)) if find_cases else []
        answer = self._composed(found, language, question.k, cases)
        answer.cut = len(text) > self._max_chars and len(" ".join(text.split())) > self._max_chars
        return answer

    def _composed(self, found: Retrieved, language: str, k: int, cases: list[SimilarCase]) -> Answer:
        why_not = self._why_not(found, language)
        ranking = [
            RankedPassage(
                article=each.passage.article,
                passage=each.passage.passage,
                title=each.passage.title,
                score=_rounded(each.score),
            )
            for each in found.articles[: min(k, MOST_RANKED)]
        ]
        return Answer(
            answered=why_not is None,
            confidence=round(found.confidence, 4),
            language=language,
            answer=[_span(each) for each in _spans(found.passages)] if why_not is None else [],
            ranking=ranking,
            cases=cases,
            degraded=found.why_degraded is not None,
            why_degraded=found.why_degraded,
            why_not=why_not,
        )

    def _why_not(self, found: Retrieved, language: str) -> str | None:
        if not found.articles:
            return "no_knowledge" if found.why_degraded is None else "nothing_found"
        languages = {each.passage.language for each in found.articles}
        if language not in languages | _ENCODED:
            return "other_language"
        return None if found.confidence >= self._min_confidence else "not_sure"


def _spans(passages: Sequence[Candidate]) -> list[Candidate]:
    """The best passage, and another one of its article that is as good, in the order of the article."""
    best = passages[0]
    same = [
        each for each in passages if each.passage.article == best.passage.article and each.score >= best.score - _CLOSE
    ]
    return sorted(same[:_MOST_SPANS], key=lambda each: each.passage.number)


def _span(candidate: Candidate) -> AnswerSpan:
    passage = candidate.passage
    return AnswerSpan(
        text=passage.text,
        passage=passage.passage,
        article=passage.article,
        title=passage.title,
        version=passage.version,
        language=passage.language,
        audience=passage.audience,
        start=passage.start,
        end=passage.end,
        score=_rounded(candidate.score),
        heading=passage.heading,
    )


def _rounded(score: float) -> float:
    return round(score, 4)


def _nothing(why_not: str, language: str) -> Answer:
    return Answer(
        answered=False, confidence=0.0, language=language, answer=[], ranking=[], cases=[], why_not=why_not
    )  # fmt: skip
