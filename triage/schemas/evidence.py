"""Verdicts of people on evidence, and questions without an answer: documents of the index of answers."""

from typing import Literal

import msgspec

VerdictLabel = Literal["used", "edited", "wrong"]
VERDICTS: tuple[VerdictLabel, ...] = ("used", "edited", "wrong")


class Verdict(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The verdict of one person on one passage for one record: used, used after editing, or wrong.

    `_id` is made of record, passage and actor, so a later verdict replaces an earlier one. The text of the record
    (redacted) and its author's hash are copied, so that it can be a question for training and can be erased.
    """

    doc: Literal["verdict"]  # without a default, which would be left out
    record: str
    passage: str
    article: str
    version: str
    verdict: VerdictLabel
    actor: str
    at: str
    text: str
    language: str
    intent: str
    author_id: str | None = None


class Unanswered(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A question that got no answer; `text` is redacted, and missing if it is that of a record.

    `exact` is the vector of the redacted text, as `pack_vector` packs it, made by `encoder`; missing without one.
    """

    doc: Literal["unanswered"]
    at: str
    why_not: str
    language: str
    audience: str
    confidence: float
    text: str = ""
    record: str | None = None
    intent: str | None = None
    article: str | None = None
    encoder: str | None = None
    exact: str | None = None
