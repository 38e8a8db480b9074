"""The filters of *Explore*, which are part of the page's URL, so that they can be bookmarked and shared."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from triage.clock import DAY_MS, HOUR_MS, MINUTE_MS, YEAR_10000_MS, to_ms, zone_named
from triage.console.search_syntax import Search, parse_search
from triage.elastic.aggregations import event_time_range
from triage.elastic.mapping import JsonObject

RANGES: dict[str, int | None] = {
    "1h": HOUR_MS,
    "24h": DAY_MS,
    "7d": 7 * DAY_MS,
    "30d": 30 * DAY_MS,
    "90d": 90 * DAY_MS,
    "all": None,
}
DEFAULT_RANGE = "7d"
# Names in the address, and the fields of the index; in the order in which the page offers them.
FIELDS: dict[str, str] = {
    "channel": "channel",
    "language": "language",
    "sentiment": "sentiment.label",
    "severity": "severity.level",
    "intent": "intent.label",
    "brand": "brand",
    "product": "product",
    "region": "region",
    "aspect": "aspects.pair",
    "risk": "risk_scores.pair",
    "own_intent": "own_intents.label",
    "flag": "flags",
    "entity": "entities.text",
    "queue": "route.queue",
    "rule": "severity.rules",
    "source": "source",
    "model": "versions.model",
}
# Only links of other pages set these: they have too many values to be offered.
HIDDEN_FIELDS: dict[str, str] = {"author": "author_id", "event": "event.id"}
_BY_NAME = {**FIELDS, **HIDDEN_FIELDS}
# Before the name of a parameter: its values are excluded.
NOT = "not_"
_MAX_VALUES = 20
_MAX_CHARS = 200


@dataclass(frozen=True)
class Filters:
    """The filters of a page, as in its query string; the records that they select are called a view.

    `text` is searched in the records' text; `values` are the accepted values by parameter name (FIELDS), `excluded` the
    excluded ones. `start` and `end` are event times in ms, None if open; without both, `range` (a key of RANGES) counts
    back from now. `problems` are the names of invalid parameters, which are ignored.
    """

    text: str = ""
    range: str = DEFAULT_RANGE
    start: int | None = None
    end: int | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: QueryParams) -> Self:
        """Read the filters from a query string.

        Times without an offset are in the time zone of the parameter `zone`, else in UTC, so that an address means the
        same for all readers.
        """
        problems: list[str] = []
        zone = _zone(parameters.get("zone", ""), problems)
        range_name = parameters.get("range", DEFAULT_RANGE)
        if range_name not in RANGES:
            problems.append("range")
            range_name = DEFAULT_RANGE
        times = {name: _time(parameters.get(name, "").strip(), zone, name, problems) for name in ("from", "to")}
        if times["from"] is not None and times["to"] is not None and times["from"] >= times["to"]:
            problems.append("to")
            times["to"] = None
        return cls(
            text=parameters.get("q", "").strip()[:_MAX_CHARS],
            range=range_name,
            start=times["from"],
            end=times["to"],
            values=_values(parameters),
            problems=tuple(problems),
            excluded=_values(parameters, NOT),
        )

    @property
    def has_times(self) -> bool:
        return self.start is not None or self.end is not None

    def between(self, now_ms: int) -> tuple[int | None, int | None]:
        """Return start and end of the view as event times in ms, None if open.

        A `range` ends at a full minute, so that Elasticsearch can answer repeated queries from its cache.
        """
        if self.has_times:
            return self.start, self.end
        length = RANGES[self.range]
        if length is None:
            return None, None
        end = now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
        return end - length, end

    def query(self, now_ms: int) -> JsonObject:
        """All filters as a query for Elasticsearch."""
        return {"bool": {"filter": [*event_time_range(*self.between(now_ms)), *self.conditions()]}}

    def conditions(self) -> list[JsonObject]:
        """Return the filters except the times, as Elasticsearch conditions; values of one field are alternatives."""
        terms, refused = (
            [{"terms": {_BY_NAME[name]: list(values)}} for name, values in chosen.items()]
            for chosen in (self.values, self.excluded)
        )
        return [*terms, *([{"bool": {"must_not": refused}}] if refused else []), *self.search.conditions()]

    @property
    def search(self) -> Search:
        """The search text of these filters, parsed."""
        return parse_search(self.text, frozenset(_BY_NAME))

    def admit(self, values: Mapping[str, str]) -> bool:
        """True unless the filters exclude records with these values, by parameter name; unknown names are ignored."""
        return all(
            value in self.values.get(name, (value,)) and value not in self.excluded.get(name, ())
            for name, value in values.items()
        )

    def with_value(self, name: str, value: str) -> Self:
        """A copy of these filters that also accepts this value of the field `name`, and does not exclude it."""
        kept = self.without(name, value)
        return replace(kept, values={**kept.values, name: (*kept.values.get(name, ()), value)})

    def accepting(self, name: str, values: tuple[str, ...]) -> Self:
        """A copy of these filters that accepts exactly these values of the field `name`; all values if empty."""
        kept = self.without_field(name)
        return replace(kept, values={**kept.values, name: values} if values else kept.values)

    def excluding(self, name: str, value: str) -> Self:
        """A copy of these filters that excludes this value of the field `name`."""
        kept = self.without(name, value)
        return replace(kept, excluded={**kept.excluded, name: (*kept.excluded.get(name, ()), value)})

    def only(self, **values: str) -> Self:
        """A copy of these filters that accepts exactly the given value of each named field; others are unchanged."""
        return replace(self, values={**self.values, **{name: (value,) for name, value in values.items()}})

    def without(self, name: str, value: str) -> Self:
        """A copy of these filters that neither accepts nor excludes this value of the field `name`."""
        return replace(self, values=_removed(self.values, name, value), excluded=_removed(self.excluded, name, value))

    def chosen(self, name: str) -> tuple[str, ...]:
        """The accepted values of the field `name`, then the excluded ones."""
        return (*self.values.get(name, ()), *self.excluded.get(name, ()))

    def without_field(self, name: str) -> Self:
        """A copy of these filters without any filter on the field `name`."""
        return replace(
            self,
            values={other: kept for other, kept in self.values.items() if other != name},
            excluded={other: kept for other, kept in self.excluded.items() if other != name},
        )

    def address(self, path: str = "/explore", **more: str | None) -> str:
        """The URL of a page with these filters; `more` are additional query parameters, of which None are left out."""
        pairs: list[tuple[str, str]] = []
        if self.text:
            pairs.append(("q", self.text))
        pairs += self.pairs()
        if self.has_times:
            pairs += [
                (name, datetime_local(ms)) for name, ms in (("from", self.start), ("to", self.end)) if ms is not None
            ]
        elif self.range != DEFAULT_RANGE:
            pairs.append(("range", self.range))
        pairs += [(name, value) for name, value in more.items() if value is not None]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def pairs(self) -> list[tuple[str, str]]:
        """The accepted and the excluded values of all fields as (parameter name, value)."""
        return [
            (prefix + name, value)
            for prefix, chosen in (("", self.values), (NOT, self.excluded))
            for name, values in chosen.items()
            for value in values
        ]


def _values(parameters: QueryParams, prefix: str = "") -> dict[str, tuple[str, ...]]:
    """The values of each field that the parameters with this prefix name."""
    found = {
        name: tuple(dict.fromkeys(value[:_MAX_CHARS] for value in parameters.getlist(prefix + name) if value))
        for name in _BY_NAME
    }
    return {name: values[:_MAX_VALUES] for name, values in found.items() if values}


def _removed(chosen: Mapping[str, tuple[str, ...]], name: str, value: str) -> dict[str, tuple[str, ...]]:
    left = tuple(other for other in chosen.get(name, ()) if other != value)
    return {**{other: kept for other, kept in chosen.items() if other != name}, **({name: left} if left else {})}


def _zone(name: str, problems: list[str]) -> tzinfo:
    try:
        return zone_named(name) if name else UTC
    except ValueError:
        problems.append("zone")
        return UTC


def _time(text: str, zone: tzinfo, name: str, problems: list[str]) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        ms = to_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        ms = -1
    if 0 <= ms < YEAR_10000_MS:
        return ms
    problems.append(name)
    return None


def datetime_local(ms: int | None, zone: tzinfo = UTC) -> str:
    """Format a time in ms for `<input type="datetime-local">`, in the time zone; empty for None."""
    if ms is None:
        return ""
    moment = datetime.fromtimestamp(ms / 1000, zone)
    return f"{moment:%Y-%m-%dT%H:%M}" if ms % MINUTE_MS == 0 else f"{moment:%Y-%m-%dT%H:%M:%S}"
