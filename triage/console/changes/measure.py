"""Compares records with the preceding period: top movers for *Now*, changed values and words for *Explore*."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from elasticsearch import Elasticsearch

from triage.alerting.evidence.significance import LEAST_BASELINE, LEAST_COUNT, Sample, over_represented
from triage.alerting.evidence.terms import joined, words
from triage.clock import DAY_MS
from triage.config import ElasticsearchSettings
from triage.console.changes.explanation import Explanation, leading, majority, ranked
from triage.console.filters import FIELDS, Filters
from triage.elastic.changes import Change, Periods, Sampled, breakdown, changes, sample
from triage.elastic.mapping import JsonObject
from triage.redaction.kinds import LABELS
from triage.schemas.alert import Share
from triage.translations import Places

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
# Fields whose value with most of a mover's change is named with it.
_BEHIND = ("brand", "region")


@dataclass(frozen=True)
class Movers:
    """The values with the largest change in negative records compared with the preceding period (the "top movers").

    `range` names the period, a key of PERIODS_MS; None if there are too few earlier records to compare with: then the
    lists are empty. `all` is the total. `by_intent` counts by intent, `by_item` by (item, intent), where `item` is
    `product`, or `brand` if records have no product. `behind` has, for the values of a change, the brand and the region
    with most of it, as (field, value).
    """

    range: str | None
    all: Change
    by_intent: list[Change] = field(default_factory=list)
    by_item: list[Change] = field(default_factory=list)
    item: str = "product"
    behind: dict[tuple[str, ...], list[tuple[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """A view (the records that the filters select) compared with the preceding period of equal length.

    `all` is the change of the total, `by` the changes of values by field name, `explanation` the values that explain
    the change of the negative records, or of all records in a view of one sentiment. `words` and `entities` are
    significantly more frequent in a sample of `sampled` records of the view than in the earlier sample, which ignores
    the filters named in `left_out`. `enough` is False if the earlier sample had too few records.
    """

    periods: Periods
    all: Change
    by: dict[str, list[Change]]
    explanation: Explanation
    words: list[Share]
    entities: list[Share]
    sampled: int
    left_out: tuple[str, ...]
    enough: bool


def top_movers(client: Elasticsearch, settings: ElasticsearchSettings, end_ms: int) -> Movers:
    """Find the values with the largest change in negative records up to `end_ms`, for the page *Now*.

    The time is 7 days or, if there are too few earlier records, 24 hours. Sends two requests, or three for the shorter
    time. Raises Unavailable, AccessDenied or DependencyError if one fails.
    """
    query: JsonObject = {"bool": {"filter": [_NEGATIVE]}}
    groups = {item: [FIELDS[item], FIELDS["intent"]] for item in ("product", "brand")}
    groups["intent"] = [FIELDS["intent"]]
    total = Change((), 0, 0)
    for name, length_ms in PERIODS_MS.items():
        total, by_group = changes(client, settings, query, Periods.ending(end_ms, length_ms), groups)
        if total.before >= _MIN_BEFORE:
            strongest = {group: _strongest(values) for group, values in by_group.items()}
            item = "product" if strongest["product"] else "brand"
            found = {(item, "intent"): strongest[item], ("intent",): strongest["intent"]}
            behind = _behind(client, settings, query, Periods.ending(end_ms, length_ms), found)
            return Movers(name, total, strongest["intent"], strongest[item], item, behind)
    return Movers(None, total)


def _behind(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    periods: Periods,
    found: Mapping[tuple[str, ...], Sequence[Change]],
) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """The brand and the region that have most of each change, by its values; `found` has the changes by fields."""
    movers = [(fields, change) for fields, changed in found.items() for change in changed]
    parts: list[JsonObject] = [
        {
            "bool": {
                "filter": [{"term": {FIELDS[name]: value}} for name, value in zip(fields, change.values, strict=True)]
            }
        }
        for fields, change in movers
    ]
    behind = breakdown(client, settings, query, periods, parts, {name: FIELDS[name] for name in _BEHIND})
    return {
        change.values: [
            (name, value)
            for name, values in by_field.items()
            if name not in fields and (value := majority(change, values)) is not None
        ]
        for (fields, change), by_field in zip(movers, behind, strict=True)
    }


def compare(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    filters: Filters,
    now_ms: int,
    places: Places | None = None,
) -> Comparison | None:
    """Compare a view with the preceding period of equal length.

    None for a view without a start, or one that begins in the future. Values are counted in all records, words and
    entities in a sample of each period, which has a fixed cost. All spellings of one of the `places` are counted
    together. Raises Unavailable, AccessDenied or DependencyError if a request fails.
    """
    one_name = (places or Places()).one_name
    start_ms, end_ms = filters.between(now_ms)
    end_ms = end_ms or now_ms
    if start_ms is None or start_ms >= end_ms:
        return None
    periods = Periods.ending(end_ms, end_ms - start_ms)
    conditions: JsonObject = {"bool": {"filter": filters.conditions()}}
    groups = {name: [FIELDS[name]] for name in _DIMENSIONS if len(filters.values.get(name, ())) != 1}
    counted = "sentiment" not in filters.values
    total, by_field = changes(client, settings, conditions, periods, groups, negative=counted)
    now = sample(client, settings, conditions, periods.start_ms, periods.end_ms, _SAMPLE_SIZE)
    before, left_out = _sample_before(client, settings, filters, periods)
    entities = _over_represented(
        [{*map(one_name, record.entities)} - LABELS.keys() for record in now],
        [{*map(one_name, record.entities)} for record in before],
    )
    terms = _over_represented([words(record.text) for record in now], [words(record.text) for record in before])
    # A word of a name that is listed already adds nothing.
    filtered = {one_name(value) for name in left_out for value in filters.values.get(name, ())}
    entities = [entity for entity in entities if entity.value not in filtered]
    named = {word for value in (*filtered, *(entity.value for entity in entities)) for word in words(value)}
    return Comparison(
        periods,
        total,
        {name: values[:_MAX_SHOWN] for name, values in by_field.items() if len(values) > 1},
        replace(
            _explained(client, settings, conditions, periods, total, by_field, negative=counted, one_name=one_name),
            negative=counted or filters.values["sentiment"] == ("negative",),
        ),
        [term for term in joined(terms) if term.value not in named][:_MAX_SHOWN],
        entities[:_MAX_SHOWN],
        sampled=len(now),
        left_out=left_out,
        enough=len(before) >= LEAST_BASELINE,
    )


def _explained(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    conditions: JsonObject,
    periods: Periods,
    total: Change,
    by_field: Mapping[str, Sequence[Change]],
    *,
    negative: bool,
    one_name: Callable[[str], str],
) -> Explanation:
    """Explain a change, of the `negative` records or of all; one further request breaks down what explains most."""
    if negative:
        total, by_field = total.negative, {name: [each.negative for each in by] for name, by in by_field.items()}
    strongest = ranked(total, by_field, _MAX_SHOWN)
    found = Explanation(total, negative, strongest)
    # An aspect says what the intent says.
    candidates = {name: values for name, values in by_field.items() if name != "aspect"}
    if found.flat or (first := leading(total, candidates)) is None:
        return found
    within = [conditions, {"term": {FIELDS[first.field]: first.value}}, *([_NEGATIVE] if negative else [])]
    groups = {name: [FIELDS[name]] for name in (*candidates, "language", "entity") if name != first.field}
    _, inner = changes(client, settings, {"bool": {"filter": within}}, periods, groups)
    inner["entity"] = _named_places(inner["entity"], one_name)
    return replace(found, first=first, second=leading(first.change, inner))


def _named_places(entities: Sequence[Change], one_name: Callable[[str], str]) -> list[Change]:
    """Changes of entities with all spellings of a place as one, without the placeholders of redaction."""
    now, before = Counter[str](), Counter[str]()
    for each in entities:
        if each.values[0] not in LABELS:
            now[one_name(each.values[0])] += each.now
            before[one_name(each.values[0])] += each.before
    return [Change((name,), count, before[name]) for name, count in now.items()]


def _sample_before(
    client: Elasticsearch, settings: ElasticsearchSettings, filters: Filters, periods: Periods
) -> tuple[list[Sampled], tuple[str, ...]]:
    """A sample of records of the period before, and the names of the filters left out until it was large enough."""
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
    """Values that more records of `now` contain than chance explains, given their frequency in `before`."""
    counts = Counter(value for values in now for value in values)
    usual = Counter(value for values in before for value in values)
    tested = sum(count >= LEAST_COUNT for count in counts.values())
    return over_represented(Sample(len(now), counts), Sample(len(before), usual), tested=tested, size=_MAX_TESTED)


def _strongest(changed: list[Change]) -> list[Change]:
    """Rises and falls of at least 2 standard deviations, the strongest first, at most 8."""
    strong = [change for change in changed if abs(change.strength) >= _MIN_STRENGTH]
    return sorted(strong, key=lambda change: -abs(change.strength))[:_MAX_MOVERS]
