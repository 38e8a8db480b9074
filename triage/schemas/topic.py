"""Emerging topics of negative records, as `triage market topics` stores them."""

from typing import Literal

import msgspec


class TopicExample(msgspec.Struct, kw_only=True):
    """A record of a topic: its `_id` and the beginning of its text."""

    record: str
    text: str


class EmergingTopic(msgspec.Struct, kw_only=True):
    """A group of similar records that is more frequent than before.

    `words` name it. `records` are those of the sample of the new time, `before` those of the sample of the 28 days
    before, `lift` is the ratio of their shares, and `p` the probability of such a group by chance, after the correction
    for all groups that were compared. `fields` are values that most of its records have, by field.
    """

    words: list[str]
    records: int
    before: int
    lift: float
    p: float
    examples: list[TopicExample]
    fields: dict[str, str] = {}


class TopicReport(msgspec.Struct, kw_only=True):
    """The result of a run over negative records from `start` to `end` (RFC 3339, end exclusive).

    Records are those that no intent explains well: `sampled` of `records`, and `sampled_before` of `records_before`
    in the 28 days before `start`.
    """

    doc: Literal["topics"]
    at: str
    start: str
    end: str
    records: int
    sampled: int
    records_before: int
    sampled_before: int
    encoder: str
    topics: list[EmergingTopic]
