"""Types of a question and its answer, in the form of `POST /v1/answers`."""

from typing import Literal

import msgspec

Audience = Literal["public", "internal"]


class Question(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A question and the limits of the search for its answer.

    Exactly one of `question` (text), `record` (`_id` of an indexed record) and `conversation` (its id) is set.
    `language` is that of the reader; None: that of the text. `audience` public hides internal passages; internal sees
    all. `product` and `intent` limit the search to articles of these and to those that name none.
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
    """One article of the ranking, by its best passage."""

    article: str
    passage: str
    title: str
    score: float


class SimilarCase(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A resolved record that is like the question.

    `ended` is the share of cases with this resolution that it ended, with a 95 % Wilson interval; None of fewer than
    five cases (`cases`).
    """

    record: str
    similarity: float
    resolution: str
    outcome: str
    cases: int = 0
    ended: float | None = None
    interval: tuple[float, float] | None = None


class Answer(msgspec.Struct, kw_only=True):
    """Evidence for a question.

    `answered` is True if the first of `ranking` is taken for the answer, with this `confidence` that it is right; else
    `why_not` says why. `degraded` means that vectors were not used: `why_degraded` says why.
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
