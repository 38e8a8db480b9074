"""Compares with the period before: the top movers of *Now*, and the values and words that changed in a view."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from elasticsearch import Elasticsearch

from triage.alerting.evidence.significance import LEAST_BASELINE, LEAST_COUNT, Sample, over_represented
from triage.alerting.evidence.terms import joined, words
from triage.config import ElasticsearchSettings
from triage.console.filters import FIELDS, Filters
from triage.elastic.changes import Change, Periods, Sampled, changes, sample
from triage.elastic.mapping import JsonObject
from triage.redaction.kinds import LABELS
from triage.schemas.alert import Share

DAY_MS = 86_400_000
# The first with enough records before to compare with is taken.
PERIODS_MS = {"7d": 7 * DAY_MS, "24h": DAY_MS}
_MIN_BEFORE = 50
_MAX_MOVERS = 8
_MIN_STRENGTH = 2.0
_SAMPLE_SIZE = 400
_MAX_TESTED = 60
_MAX_SHOWN = 8
# Filters that are left out of the period before, in this order, until it has enough records to compare with.
_WIDENED = ("entity", "event", "author", "product", "brand", "region", "source", "queue", "rule", "severity", "channel")
_NEGATIVE: JsonObject = {"term": {"sentiment.label": "negative"}}
# Fields that a comparison breaks down by, unless the view has one value of them.
_DIMENSIONS = ("product", "brand", "intent", "aspect", "region", "channel")


@dataclass(frozen=True)
class Movers:
    """Values of negative records that rose or fell most.

    `range` names the period in PERIODS_MS; None while there are too few records before it. `item` is `product`, or
    `brand` where records have no product.
    """

    range: str | None
    all: Change
    by_intent: list[Change] = field(default_factory=list)
    by_item: list[Change] = field(default_factory=list)
    item: str = "product"


@dataclass(frozen=True)
class Comparison:
    """A view and the period before: totals, changes by field, and words and entities beyond chance.

    Words and entities are those of `sampled` records. `left_out` are the filters without which they are compared.
    `enough` tells whether there were records to compare them with.
    """

    periods: Periods
    all: Change
    by: dict[str, list[Change]]
    words: list[Share]
    entities: list[Share]
    sampled: int
    left_out: tuple[str, ...]
    enough: bool


def top_movers(client: Elasticsearch, settings: ElasticsearchSettings, end_ms: int) -> Movers:
    """One request, or two for less than two weeks of records. Raises Unavailable, AccessDenied, DependencyError."""
    query: JsonObject = {"bool": {"filter": [_NEGATIVE]}}
    groups = {item: [FIELDS[item], FIELDS["intent"]] for item in ("product", "brand")}
    groups["intent"] = [FIELDS["intent"]]
    total = Change((), 0, 0)
    for name, length_ms in PERIODS_MS.items():
        total, by_group = changes(client, settings, query, Periods.ending(end_ms, length_ms), groups)
        if total.before >= _MIN_BEFORE:
            strongest = {group: _strongest(values) for group, values in by_group.items()}
            item = "product" if strongest["product"] else "brand"
            return Movers(name, total, strongest["intent"], strongest[item], item)
    return Movers(None, total)


def compare(client: Elasticsearch, settings: ElasticsearchSettings, filters: Filters, now_ms: int) -> Comparison | None:
    """The view and as long a period before it; None for a view without a beginning or entirely in the future.

    Values are counted in all records; words and entities in a sample of each period, which costs the same however many
    records there are. Raises Unavailable, AccessDenied, DependencyError.
    """
    start_ms, end_ms = filters.between(now_ms)
    end_ms = end_ms or now_ms
    if start_ms is None or start_ms >= end_ms:
        return None
    periods = Periods.ending(end_ms, end_ms - start_ms)
    conditions: JsonObject = {"bool": {"filter": filters.conditions()}}
    groups = {name: [FIELDS[name]] for name in _DIMENSIONS if len(filters.values.get(name, ())) != 1}
    total, by_field = changes(client, settings, conditions, periods, groups)
    now = sample(client, settings, conditions, periods.start_ms, periods.end_ms, _SAMPLE_SIZE)
    before, left_out = _sample_before(client, settings, filters, periods)
    entities = _over_represented(
        [set(record.entities) - LABELS.keys() for record in now], [set(record.entities) for record in before]
    )
    terms = _over_represented([words(record.text) for record in now], [words(record.text) for record in before])
    # A word of a name that is listed already adds nothing.
    filtered = {value for name in left_out for value in filters.values.get(name, ())}
    entities = [entity for entity in entities if entity.value not in filtered]
    named = {word for value in (*filtered, *(entity.value for entity in entities)) for word in words(value)}
    return Comparison(
        periods,
        total,
        {name: values[:_MAX_SHOWN] for name, values in by_field.items() if len(values) > 1},
        [term for term in joined(terms) if term.value not in named][:_MAX_SHOWN],
        entities[:_MAX_SHOWN],
        sampled=len(now),
        left_out=left_out,
        enough=len(before) >= LEAST_BASELINE,
    )


def _sample_before(
    client: Elasticsearch, settings: ElasticsearchSettings, filters: Filters, periods: Periods
) -> tuple[list[Sampled], tuple[str, ...]]:
    """A sample of the period before, and the filters that were left out to have enough records."""
    left_out: tuple[str, ...] = ()
    wider = replace(filters, text="") if filters.text else filters
    for name in ("", *(name for name in _WIDENED if name in filters.values)):
        if name:
            left_out = (*left_out, name)
            wider = replace(wider, values={key: kept for key, kept in wider.values.items() if key != name})
        conditions: JsonObject = {"bool": {"filter": wider.conditions()}}
        before = sample(client, settings, conditions, periods.before_ms, periods.start_ms, _SAMPLE_SIZE)
        if len(before) >= LEAST_BASELINE:
            break
    return before, left_out


def _over_represented(now: Sequence[set[str]], before: Sequence[set[str]]) -> list[Share]:
    """Values in more records of `now` than chance explains, by their frequency in `before`."""
    counts = Counter(value for values in now for value in values)
    usual = Counter(value for values in before for value in values)
    tested = sum(count >= LEAST_COUNT for count in counts.values())
    return over_represented(Sample(len(now), counts), Sample(len(before), usual), tested=tested, size=_MAX_TESTED)


def _strongest(changed: list[Change]) -> list[Change]:
    """Rises and falls beyond chance, the strongest first."""
    strong = [change for change in changed if abs(change.strength) >= _MIN_STRENGTH]
    return sorted(strong, key=lambda change: -abs(change.strength))[:_MAX_MOVERS]
