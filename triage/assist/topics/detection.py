"""Detects emerging topics among records with their weeks and sentence vectors."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.assist.topics.grouping import groups
from triage.assist.topics.naming import words_of
from triage.assist.topics.significance import compare_groups
from triage.schemas.topic import EmergingTopic, TopicExample

_MOST_TOPICS = 10
_EXAMPLES = 3
_EXAMPLE_CHARS = 300
_OVERLAP = 0.3
_MOST_OTHERS = 2_000
_MOSTLY = 0.6


@dataclass(frozen=True)
class TopicRecord:
    """A record of the sample. `week` is 0 in the newest week, and 1, 2, ... in the weeks before it."""

    id: str
    text: str
    week: int
    fields: tuple[tuple[str, str], ...] = ()


def emerging_topics(records: Sequence[TopicRecord], vectors: NDArray[np.float32]) -> list[EmergingTopic]:
    """Topics of the newest week, most significant first; `vectors` [records, dimensions] are those of the texts."""
    weeks = np.array([each.week for each in records], np.int64)
    found = list(groups(vectors))
    results = sorted(
        ((each, rows) for each, rows in zip(compare_groups(found, weeks), found, strict=False) if each.emerging),
        key=lambda pair: (pair[0].p, -pair[0].records),
    )
    topics: list[EmergingTopic] = []
    taken: list[set[int]] = []
    for result, rows in results:
        new = [int(row) for row in rows if weeks[row] == 0]
        if any(len(other.intersection(new)) > _OVERLAP * min(len(other), len(new)) for other in taken):
            continue
        taken.append(set(new))
        others = [records[row].text for row in np.setdiff1d(np.arange(len(records)), rows)[:_MOST_OTHERS]]
        topics.append(
            EmergingTopic(
                words=words_of([records[row].text for row in new], others),
                records=result.records,
                before=result.before,
                lift=round(result.lift, 2),
                p=result.p,
                examples=_examples(new, records, vectors),
                fields=_mostly([records[row] for row in new]),
            )
        )
        if len(topics) == _MOST_TOPICS:
            break
    return topics


def _examples(rows: list[int], records: Sequence[TopicRecord], vectors: NDArray[np.float32]) -> list[TopicExample]:
    """The records nearest to the middle of the group, each text once."""
    middle = vectors[rows].mean(axis=0)
    nearest = sorted(rows, key=lambda row: -float(vectors[row] @ middle))
    by_text = {records[row].text[:_EXAMPLE_CHARS]: records[row].id for row in reversed(nearest)}
    shown = [(text, by_text[text]) for row in nearest if (text := records[row].text[:_EXAMPLE_CHARS]) in by_text]
    return [TopicExample(record=identity, text=text) for text, identity in list(dict(shown).items())[:_EXAMPLES]]


def _mostly(records: Sequence[TopicRecord]) -> dict[str, str]:
    """Values that at least 60 % of the records have, by field."""
    counts = Counter(pair for record in records for pair in record.fields)
    return {name: value for (name, value), number in counts.items() if number >= _MOSTLY * len(records)}
