"""What *Explore* looks for, as it stands in the address: so that a view can be kept, sent and exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from triage.clock import YEAR_10000_MS, to_ms
from triage.elastic.aggregations import event_time_range
from triage.elastic.mapping import JsonObject

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
RANGES: dict[str, int | None] = {
    "1h": _HOUR_MS,
    "24h": _DAY_MS,
    "7d": 7 * _DAY_MS,
    "30d": 30 * _DAY_MS,
    "90d": 90 * _DAY_MS,
    "all": None,
}
DEFAULT_RANGE = "7d"
# Names in the address, and the fields of the index; in the order in which the page offers them.
FIELDS: dict[str, str] = {
    "channel": "channel",
    "sentiment": "sentiment.label",
    "severity": "severity.level",
    "intent": "intent.label",
    "aspect": "aspects.pair",
    "product": "product",
    "brand": "brand",
    "region": "region",
    "language": "language",
    "flag": "flags",
    "entity": "entities.text",
    "queue": "route.queue",
    "rule": "severity.rules",
    "source": "source",
    "model": "versions.model",
}
# Those that other pages link to, and that are too many to be offered.
HIDDEN_FIELDS: dict[str, str] = {"author": "author_id", "event": "event.id"}
_BY_NAME = {**FIELDS, **HIDDEN_FIELDS}
_MOST_VALUES = 20
_MOST_CHARS = 200
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Filters:
    """`start` and `end` are times that were given (ms); without them `range` counts back from now.

    `problems` are names of parameters that say nothing and were left out.
    """

    text: str = ""
    range: str = DEFAULT_RANGE
    start: int | None = None
    end: int | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: QueryParams) -> Self:
        problems: list[str] = []
        chosen = given.get("range", DEFAULT_RANGE)
        if chosen not in RANGES:
            problems.append("range")
            chosen = DEFAULT_RANGE
        times = {name: _time(given.get(name, "").strip(), name, problems) for name in ("from", "to")}
        if times["from"] is not None and times["to"] is not None and times["from"] >= times["to"]:
            problems.append("to")
            times["to"] = None
        values = {
            name: tuple(dict.fromkeys(value[:_MOST_CHARS] for value in given.getlist(name) if value))[:_MOST_VALUES]
            for name in _BY_NAME
        }
        return cls(
            text=given.get("q", "").strip()[:_MOST_CHARS],
            range=chosen,
            start=times["from"],
            end=times["to"],
            values={name: chosen_values for name, chosen_values in values.items() if chosen_values},
            problems=tuple(problems),
        )

    @property
    def given_times(self) -> bool:
        return self.start is not None or self.end is not None

    def between(self, now_ms: int) -> tuple[int | None, int | None]:
        """The event times looked at; whole minutes, so that Elasticsearch can answer again from its cache."""
        if self.given_times:
            return self.start, self.end
        length = RANGES[self.range]
        if length is None:
            return None, None
        end = now_ms // _MINUTE_MS * _MINUTE_MS + _MINUTE_MS
        return end - length, end

    def query(self, now_ms: int) -> JsonObject:
        """The whole of it for Elasticsearch."""
        return {"bool": {"filter": [*event_time_range(*self.between(now_ms)), *self.conditions()]}}

    def conditions(self) -> list[JsonObject]:
        """All but the times; several values of one field are alternatives."""
        found: list[JsonObject] = [{"terms": {_BY_NAME[name]: list(values)}} for name, values in self.values.items()]
        if self.text:
            found.append({"match": {"text": {"query": self.text, "operator": "and"}}})
        return found

    def with_value(self, name: str, value: str) -> Self:
        return replace(self, values={**self.values, name: (*self.values.get(name, ()), value)})

    def only(self, **values: str) -> Self:
        """With these single values in place of what these fields had."""
        return replace(self, values={**self.values, **{name: (value,) for name, value in values.items()}})

    def without(self, name: str, value: str) -> Self:
        left = tuple(one for one in self.values.get(name, ()) if one != value)
        others = {other: kept for other, kept in self.values.items() if other != name}
        return replace(self, values={**others, name: left} if left else others)

    def address(self, path: str = "/explore", **more: str | None) -> str:
        """A link to this view; `more` are further parameters, None leaves one out."""
        pairs: list[tuple[str, str]] = []
        if self.text:
            pairs.append(("q", self.text))
        pairs += [(name, value) for name, values in self.values.items() for value in values]
        if self.given_times:
            pairs += [(name, _shown(ms)) for name, ms in (("from", self.start), ("to", self.end)) if ms is not None]
        elif self.range != DEFAULT_RANGE:
            pairs.append(("range", self.range))
        pairs += [(name, value) for name, value in more.items() if value is not None]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def hidden(self, leaving_out: Sequence[str] = ()) -> list[tuple[str, str]]:
        """(name, value) of the fields' values, for a form that keeps them."""
        return [(name, value) for name, values in self.values.items() if name not in leaving_out for value in values]


def _time(text: str, name: str, problems: list[str]) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        ms = to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        ms = -1
    if 0 <= ms < YEAR_10000_MS:
        return ms
    problems.append(name)
    return None


def _shown(ms: int) -> str:
    """As `<input type="datetime-local">` has it; UTC."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M}" if ms % _MINUTE_MS == 0 else f"{moment:%Y-%m-%dT%H:%M:%S}"


def shown_time(ms: int | None) -> str:
    return "" if ms is None else _shown(ms)


def filters_of(values: Mapping[str, Any]) -> Filters:
    """Filters on single values, as links from other pages want them."""
    return Filters(values={name: (str(value),) for name, value in values.items() if value})
