"""What a language has to say, and what they all share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from triage.schemas.counts import OTHER

# Below this, a ratio to what was expected is a large number that says little.
_LEAST_EXPECTED = 0.95  # what is written as 1
# Below this, "1.1 times expected" would make people doubt a page that a share has caused.
_LEAST_RATIO = 1.5
_VALUE_CHARS = 24


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a title counts: `negative` of `total` records in `window_ms`, where `expected` negatives were expected."""

    negative: int
    total: int
    window_ms: int
    expected: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the expected, where that says something."""
        if self.expected is None or self.expected < _LEAST_EXPECTED:
            return None
        found = self.negative / self.expected
        return found if found >= _LEAST_RATIO else None

    @property
    def rare(self) -> bool:
        """Less than one was expected."""
        return self.expected is not None and self.expected < _LEAST_EXPECTED

    @property
    def share(self) -> str:
        return f"{self.negative / self.total:.0%}" if self.total else "0%"

    @property
    def times(self) -> str:
        """`4.2×`, from 10 on without a decimal."""
        ratio = self.ratio or 0.0
        return f"{ratio:.1f}×" if ratio < 9.95 else f"{ratio:,.0f}×"


class Wording(Protocol):
    """Labels and sentences of a page. Times come as text, durations in ms."""

    language: str
    what_to_do_first: str
    runbook: str
    console: str
    kibana: str
    chart: str
    observed: str
    expected: str
    unusual_intents: str
    unusual_entities: str
    unusual_words: str
    top_intents: str
    top_entities: str
    examples: str
    also: str
    acknowledge: str
    silence: str
    sent_again: str
    severities: Mapping[str, str]

    def intent(self, name: str) -> str: ...

    def place(self, dimensions: Mapping[str, str]) -> str:
        """Where, in the middle of a sentence: `about delivery from Acme`, empty for everything."""
        ...

    def subject(self, dimensions: Mapping[str, str]) -> str:
        """What, at the head of a title: `Acme · delivery complaints`."""
        ...

    def duration(self, ms: int) -> str: ...

    def span(self, ms: int) -> str:
        """Of the chart: `seen in the last 2 h`."""
        ...

    def share(self, value: str, count: int, expected: float | None) -> str:
        """`parcel 31 (usually 6)`."""
        ...

    def title(self, subject: str, numbers: Numbers, *, at_peak: bool) -> str: ...

    def resolved_title(self, subject: str, numbers: Numbers, lasted_ms: int) -> str: ...

    def summary(self, place: str, peak: Numbers, latest: Numbers | None, since: str, between: tuple[str, str]) -> str:
        """`latest` is None while the latest window is the one with most; `between` are its ends."""
        ...

    def over(self, place: str, peak: Numbers, since: str, lasted_ms: int) -> str: ...

    def thresholds(self, rule: str, count: int, share: float) -> str: ...

    def late(self, records: int) -> str: ...

    def flapping(self) -> str: ...

    def still_firing(self, title: str, age_ms: int) -> str: ...

    def acknowledged(self, title: str, by: str) -> str: ...

    def more(self, count: int) -> str:
        """Other alerts of the same page: `and 2 more`."""
        ...

    def first_steps(self, intent: str | None) -> tuple[str, ...]: ...


def readable(name: str) -> str:
    """`product_fault` -> `product fault`."""
    return name.replace("_", " ")


def parts_of(dimensions: Mapping[str, str], other: Mapping[str, str], default: str) -> list[str]:
    """The values that are no intent and no channel, most telling first; long ones are cut."""
    order = ("brand", "product", "region", "source", "language", "severity", "queue")
    return [
        other.get(name, default) if dimensions[name] == OTHER else fit(dimensions[name], "", _VALUE_CHARS)
        for name in order
        if name in dimensions
    ]


def fit(head: str, tail: str, limit: int) -> str:
    """`head` and `tail` in at most `limit` characters; the head gives way, for the tail has the numbers."""
    room = limit - len(tail)
    if len(head) > max(room, 0):
        head = head[: room - 1].rstrip() + "…" if room > 0 else ""
    return (head + tail)[:limit]


def split(ms: int, units: tuple[str, str, str, str], space: str) -> str:
    """The two largest units of a duration: days, hours, minutes, seconds."""
    parts = []
    left = ms // 1000
    for name, seconds in zip(units, (86_400, 3600, 60, 1), strict=True):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{space}{name}")
    return " ".join(parts[:2]) or f"0{space}{units[3]}"
