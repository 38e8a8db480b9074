"""Labels records with the outcome of a definition, and counts those that have none and why."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from triage.assist.risk.definition import Column, Definition, Escalates, Target, WritesAgain
from triage.assist.rows import UnreadableTextError, csv_header, csv_rows, read_text
from triage.clock import parse_rfc3339
from triage.errors import ConfigError
from triage.risk.features import HISTORY_DAYS, History
from triage.schemas.enriched import EnrichedRecord

_DAY_MS = 86_400_000
_SHOWN_CHARS = 40
AuthorHashes = Callable[[str | None, str], Sequence[str]]
"""Returns the stored hashes of an author, one per key, from the record's source and the source's id of the author."""


@dataclass(frozen=True, slots=True)
class Example:
    """A record with its event time in ms, the author's records before it, and whether the outcome happened."""

    record: EnrichedRecord
    at_ms: int
    history: History
    happened: bool


@dataclass
class Labelled:
    """Examples by event time; `left_out` counts the records that have no label, by reason.

    `other_values` counts the values of the column for which the outcome did not happen, each cut to 40 characters.
    """

    examples: list[Example] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    records: int = 0
    other_values: Counter[str] = field(default_factory=Counter)

    @property
    def positives(self) -> int:
        return sum(example.happened for example in self.examples)


class Timeline:
    """The records of each author by time, to find the author's records before and after a record."""

    def __init__(self, records: Sequence[EnrichedRecord]) -> None:
        self._times: dict[str, list[int]] = defaultdict(list)
        self._records: dict[str, list[EnrichedRecord]] = defaultdict(list)
        for record in sorted(records, key=lambda each: each.timestamp):
            if record.author_id:
                self._times[record.author_id].append(parse_rfc3339(record.timestamp))
                self._records[record.author_id].append(record)

    def before(self, record: EnrichedRecord, at_ms: int) -> History:
        """Count the records of the same author in the 90 days before `at_ms`, the time of `record` in ms.

        The result has their number, that of negative ones, and the days since the last one, None without any.
        """
        if not record.author_id or record.author_id not in self._times:
            return History()
        times = self._times[record.author_id]
        first, end = bisect_left(times, at_ms - HISTORY_DAYS * _DAY_MS), bisect_left(times, at_ms)
        if first == end:
            return History()
        found = self._records[record.author_id][first:end]
        negative = sum(each.sentiment.label == "negative" for each in found)
        return History(len(found), negative, (at_ms - times[end - 1]) / _DAY_MS)

    def after(self, record: EnrichedRecord, at_ms: int, window_ms: int) -> Sequence[EnrichedRecord]:
        """The records of the same author in the `window_ms` after `at_ms`, the time of `record`, oldest first."""
        times = self._times[record.author_id or ""]
        first, end = bisect_right(times, at_ms), bisect_right(times, at_ms + window_ms)
        return self._records[record.author_id or ""][first:end]


def label_records(
    records: Sequence[EnrichedRecord],
    definition: Definition,
    now_ms: int,
    author_hashes: AuthorHashes | None = None,
    *,
    earlier: Sequence[EnrichedRecord] = (),
) -> Labelled:
    """Label records with the outcome that `definition` names; the result has the examples and what was left out.

    `earlier` are records before them, for the authors' history only; `author_hashes` computes the hashes of author
    ids in a file of outcomes.

    Records whose window has not ended at `now_ms`, or at the last record, are left out: their outcome is unknown.
    Raises ConfigError for a file of outcomes that cannot be read.
    """
    found = Labelled(records=len(records))
    timeline = Timeline([*earlier, *records])
    ordered = sorted(((parse_rfc3339(record.timestamp), record) for record in records), key=lambda pair: pair[0])
    last_ms = min(now_ms, ordered[-1][0]) if ordered else now_ms
    outcome = _outcome_of(definition.target, timeline, author_hashes, found.other_values)
    for at_ms, record in ordered:
        if not record.written:
            found.left_out["automatic or without text"] += 1
        elif at_ms + definition.window_ms > last_ms and definition.window_ms:
            found.left_out["too new: the window has not ended"] += 1
        else:
            result = outcome(record, at_ms)
            if isinstance(result, str):
                found.left_out[result] += 1
            else:
                found.examples.append(Example(record, at_ms, timeline.before(record, at_ms), result))
    return found


_Outcome = Callable[[EnrichedRecord, int], bool | str]
"""Returns whether the outcome happened, or why that is not known."""


def _outcome_of(
    target: Target, timeline: Timeline, author_hashes: AuthorHashes | None, other_values: Counter[str]
) -> _Outcome:
    match target:
        case WritesAgain(within_days=days, more_negative_by=margin):

            def again(record: EnrichedRecord, at_ms: int) -> bool | str:
                if not record.author_id:
                    return "no author"
                return any(
                    later.sentiment.label == "negative" and later.sentiment.score <= record.sentiment.score - margin
                    for later in timeline.after(record, at_ms, round(days * _DAY_MS))
                )

            return again
        case Escalates(queues=queues, within_days=days):

            def escalates(record: EnrichedRecord, at_ms: int) -> bool | str:
                if not record.author_id:
                    return "no author"
                if record.route.queue.casefold() in queues:
                    return "already in such a queue"
                later = timeline.after(record, at_ms, round(days * _DAY_MS))
                return any(each.route.queue.casefold() in queues for each in later)

            return escalates
        case Column():
            return _column_outcome(target, author_hashes, other_values)


def _column_outcome(target: Column, author_hashes: AuthorHashes | None, other_values: Counter[str]) -> _Outcome:
    outcomes = _read_outcomes(target) if target.file else {}
    by_hash: dict[tuple[str | None, str], str] = {}

    def of_author(record: EnrichedRecord) -> str | None:
        # The index has only hashes of authors, which depend on the source: they are made when a source is met.
        assert author_hashes is not None
        if (record.source, "") not in by_hash:
            by_hash[record.source, ""] = ""
            by_hash.update(
                {(record.source, one): each for each in outcomes for one in author_hashes(record.source, each)}
            )
        return outcomes.get(by_hash.get((record.source, record.author_id or ""), ""))

    def column(record: EnrichedRecord, _: int) -> bool | str:
        if target.attribute is not None:
            value = record.attributes.get(target.attribute)
            value = None if value is None else str(value)
        elif target.by == "author":
            value = of_author(record)
        else:
            value = outcomes.get(record.event.id)
        if value is None or not value.strip():
            return "no value in the column"
        happened = value.strip().casefold() in target.values
        if not happened:
            other_values[value.strip()[:_SHOWN_CHARS]] += 1
        return happened

    return column


def _read_outcomes(target: Column) -> Mapping[str, str]:
    """Values of the column by key. Raises ConfigError."""
    assert target.file is not None
    where = str(target.file)
    try:
        text = read_text(target.file)
    except UnreadableTextError as error:
        raise ConfigError(str(error), where=f"{where}:{error.line}") from error
    names = csv_header(text)
    missing = [name for name in (target.key, target.column) if name not in names]
    if missing:
        raise ConfigError([f"has no column {name!r}; it has {', '.join(names)}" for name in missing], where=where)
    found: dict[str, str] = {}
    for row in csv_rows(text):
        if row.fields is None:
            raise ConfigError(row.problem, where=f"{where}:{row.line}")
        # A row may end before its last columns.
        if key := row.fields.get(target.key):
            found[str(key)] = row.fields.get(target.column) or ""
    return found
