"""What changed against the period before: for *Now* the top movers, for *Explore* what lies behind a view."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from elasticsearch import Elasticsearch

from triage.alerting.evidence.significance import LEAST_BASELINE, LEAST_COUNT, Sample, over_represented
from triage.alerting.evidence.terms import joined, words
from triage.config import ElasticsearchSettings
from triage.console.filters import FIELDS, Filters
from triage.elastic.changes import Change, Periods, Sampled, changes, sample
from triage.elastic.mapping import JsonObject
from triage.redaction.kinds import KINDS
from triage.schemas.alert import Share

DAY_MS = 86_400_000
# The longest that has enough to compare with is taken.
LENGTHS = {"7d": 7 * DAY_MS, "24h": DAY_MS}
_LEAST_BEFORE = 50
_MOVERS = 8
_LEAST_STRENGTH = 2.0
_SAMPLE = 400
_TESTED = 60
_SHOWN = 8
# Left out of the time before, in this order, until there is enough to compare with.
_WIDENED = ("entity", "event", "author", "product", "brand", "region", "source", "queue", "rule", "severity", "channel")
_NEGATIVE: JsonObject = {"term": {"sentiment.label": "negative"}}
_PLACEHOLDERS = {kind.placeholder for kind in KINDS.values()}
# Looked at in a comparison, unless the view has settled them already.
_DIMENSIONS = ("product", "brand", "intent", "aspect", "region", "channel")


@dataclass(frozen=True)
class Movers:
    """Values of negative records that rose or fell most; `range` names the period, None where there is no past yet."""

    range: str | None
    all: Change
    by_intent: list[Change] = field(default_factory=list)
    by_thing: list[Change] = field(default_factory=list)
    thing: str = "product"


@dataclass(frozen=True)
class Comparison:
    """Why a view changed: its numbers, the values behind them, and what stands out beyond chance in `sampled` texts."""

    periods: Periods
    all: Change
    by: dict[str, list[Change]]
    words: list[Share]
    entities: list[Share]
    sampled: int
    left_out: tuple[str, ...]
    enough: bool


def top_movers(client: Elasticsearch, settings: ElasticsearchSettings, end_ms: int) -> Movers:
    """One request, a second where there is less than two weeks. Raises Unavailable, AccessDenied, DependencyError."""
    query: JsonObject = {"bool": {"filter": [_NEGATIVE]}}
    groups = {thing: [FIELDS[thing], FIELDS["intent"]] for thing in ("product", "brand")}
    groups["intent"] = [FIELDS["intent"]]
    everything = Change((), 0, 0)
    for name, length_ms in LENGTHS.items():
        everything, found = changes(client, settings, query, Periods.ending(end_ms, length_ms), groups)
        if everything.before >= _LEAST_BEFORE:
            moved = {group: _most(values) for group, values in found.items()}
            thing = "product" if moved["product"] else "brand"
            return Movers(name, everything, moved["intent"], moved[thing], thing)
    return Movers(None, everything)


def compare(client: Elasticsearch, settings: ElasticsearchSettings, filters: Filters, now_ms: int) -> Comparison | None:
    """The view against the time before it; None for one without a beginning or all in the future: it has none before.

    Values are counted in all records; words and entities in a sample of each period, which says enough and costs the
    same however many records there are. Raises Unavailable, AccessDenied, DependencyError.
    """
    start_ms, end_ms = filters.between(now_ms)
    end_ms = end_ms or now_ms
    if start_ms is None or start_ms >= end_ms:
        return None
    periods = Periods.ending(end_ms, end_ms - start_ms)
    conditions: JsonObject = {"bool": {"filter": filters.conditions()}}
    groups = {name: [FIELDS[name]] for name in _DIMENSIONS if len(filters.values.get(name, ())) != 1}
    everything, by = changes(client, settings, conditions, periods, groups)
    now = sample(client, settings, conditions, periods.start_ms, periods.end_ms, _SAMPLE)
    before, left_out = _usual(client, settings, filters, periods)
    entities = _standing_out([set(one.entities) - _PLACEHOLDERS for one in now], [set(one.entities) for one in before])
    said = _standing_out([words(one.text) for one in now], [words(one.text) for one in before])
    # A word of a name that stands out says nothing more.
    known = {value for name in left_out for value in filters.values.get(name, ())}
    entities = [entity for entity in entities if entity.value not in known]
    named = {word for value in (*known, *(one.value for one in entities)) for word in words(value)}
    return Comparison(
        periods,
        everything,
        {name: found[:_SHOWN] for name, found in by.items() if len(found) > 1},
        [word for word in joined(said) if word.value not in named][:_SHOWN],
        entities[:_SHOWN],
        sampled=len(now),
        left_out=left_out,
        enough=len(before) >= LEAST_BASELINE,
    )


def _usual(
    client: Elasticsearch, settings: ElasticsearchSettings, filters: Filters, periods: Periods
) -> tuple[list[Sampled], tuple[str, ...]]:
    """A sample of the time before, and the filters left out of it because with them there were too few records."""
    left_out: tuple[str, ...] = ()
    wider = replace(filters, text="") if filters.text else filters
    for name in ("", *(name for name in _WIDENED if name in filters.values)):
        if name:
            left_out = (*left_out, name)
            wider = replace(wider, values={key: kept for key, kept in wider.values.items() if key != name})
        conditions: JsonObject = {"bool": {"filter": wider.conditions()}}
        found = sample(client, settings, conditions, periods.before_ms, periods.start_ms, _SAMPLE)
        if len(found) >= LEAST_BASELINE:
            break
    return found, left_out


def _standing_out(now: Sequence[set[str]], before: Sequence[set[str]]) -> list[Share]:
    """Values that more records of the one sample have than chance would give it over the other."""
    counts = Counter(value for values in now for value in values)
    usual = Counter(value for values in before for value in values)
    tested = sum(count >= LEAST_COUNT for count in counts.values())
    return over_represented(Sample(len(now), counts), Sample(len(before), usual), tested=tested, size=_TESTED)


def link_to(filters: Filters, values: Mapping[str, str]) -> Filters:
    """A view narrowed to what changed."""
    return replace(filters, values={**filters.values, **{name: (value,) for name, value in values.items()}})


def _most(found: list[Change]) -> list[Change]:
    """Rises and falls that are more than chance, the strongest first."""
    strong = [change for change in found if abs(change.strength) >= _LEAST_STRENGTH]
    return sorted(strong, key=lambda change: -abs(change.strength))[:_MOVERS]
