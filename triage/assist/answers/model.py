"""Types of a question and its answer, in the format of `POST /v1/answers`."""

from typing import Literal

import msgspec

Audience = Literal["public", "internal"]


class Question(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A question, and limits of the search for its answer.

    Exactly one of `question` (text), `record` (`_id` of an indexed record) and `conversation` (its id) is set.
    `language` is that of the reader; None: that of the text. With `audience` public internal passages are hidden.
    `product` and `intent` limit the search to articles that name these, or that name none. `k` is the number of
    results.
    """

    question: str | None = None
    record: str | None = None
    conversation: str | None = None
    language: str | None = None
    audience: Audience = "public"
    product: str | None = None
    intent: str | None = None
    k: int = 3


class AnswerSpan(msgspec.Struct, kw_only=True):
    """A verbatim part of an article: `article's text[start:end]`, in Unicode code points, is `text`."""

    text: str
    passage: str
    article: str
    title: str
    version: str
    language: str
    audience: Audience
    start: int
    end: int
    score: float
    heading: str = ""


class RankedPassage(msgspec.Struct, kw_only=True):
    """One article in the ranking, represented by its best passage."""

    article: str
    passage: str
    title: str
    score: float


class SimilarCase(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A resolved record that is similar to the question.

    `resolution` is the kind of answer, `answer` what was written (redacted). `similarity` is None if words alone found
    it. `ended` is the share of cases with this resolution that it ended, with a 95 % Wilson interval; None of fewer
    than five cases (`cases`).
    """

    record: str
    similarity: float | None
    text: str
    answer: str
    resolution: str
    outcome: str
    at: str
    cases: int = 0
    ended: float | None = None
    interval: tuple[float, float] | None = None


class Answer(msgspec.Struct, kw_only=True):
    """Evidence for a question.

    `answered` is True if the first of `ranking` is taken for the answer, with this `confidence` that it is right; else
    `why_not` says why. `degraded` means that vectors were not used: `why_degraded` says why. `cut` means that the end
    of a long question was not searched.
    """

    answered: bool
    confidence: float
    language: str
    answer: list[AnswerSpan]
    ranking: list[RankedPassage]
    cases: list[SimilarCase]
    degraded: bool = False
    why_degraded: str | None = None
    why_not: str | None = None
    cut: bool = False
