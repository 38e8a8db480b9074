"""Labels and sentences of notifications, from the catalogue of translations, in the language of `alerting.language`."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from triage.bidi import closed, isolated
from triage.config import AlertingSettings
from triage.schemas.alert import HistoryEntry
from triage.schemas.counts import OTHER
from triage.translations import Places, between_in, places_of, translations_for

# Below this, a ratio to the expected number is large and means little.
_MIN_EXPECTED = 0.95  # it is written as 1
# Below this, "1.1 times expected" would make people doubt an alert that a share has caused.
_MIN_RATIO = 1.5
_VALUE_CHARS = 24
# The part of a title that a locked telephone shows; a Chinese character is as wide as two others.
_TITLE_CHARS = {"en": 80, "zh": 52}
_CAPITALIZED = frozenset({"en"})
# Dimensions besides channel and intent, the most telling first.
_DIMENSIONS = ("brand", "product", "region", "source", "language", "severity", "queue")
_SEVERITIES = ("critical", "error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers in a text on an alert: `negative` of `total` records in `window_ms`.

    `expected` is the number of negatives that was expected; None if it is not known.
    """

    negative: int
    total: int
    window_ms: int
    expected: float | None = None

    @property
    def ratio(self) -> float | None:
        """Negatives per expected negative; None below 1.5, or if the expected number is unknown or less than one."""
        if self.expected is None or self.expected < _MIN_EXPECTED:
            return None
        ratio = self.negative / self.expected
        return ratio if ratio >= _MIN_RATIO else None

    @property
    def rare(self) -> bool:
        """True if less than one negative record was expected."""
        return self.expected is not None and self.expected < _MIN_EXPECTED

    @property
    def share(self) -> float:
        """Share of negative records, from 0 to 1; 0 without records."""
        return self.negative / self.total if self.total else 0.0


class Wording:
    """The texts of notifications in one language and time zone. Attributes are labels; methods build sentences.

    Times and durations are in ms. Counts have no thousands separators, because titles are short and are searched by
    their numbers.
    """

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
    link_acknowledge: str
    link_snooze: str
    link_morning: str
    link_silence: str
    link_right: str
    link_false: str
    sent_again: str

    def __init__(self, language: str, zone: str = "UTC", places: Places | None = None) -> None:
        """Load the texts. Raises KeyError for a language without a catalogue, ValueError for an unknown time zone."""
        self.language = language
        self._places = places or places_of()
        self._translations = translations_for(language, zone)
        self.tzinfo = self._translations.tzinfo
        for label in Wording.__annotations__:
            setattr(self, label, self._translations(f"label.{label}"))
        self.severities: Mapping[str, str] = {
            name: self._translations.term("alert_severity", name) for name in _SEVERITIES
        }

    def link(self, action: str) -> str:
        """The label of an action link in a notification; `action` is `acknowledge`, `snooze`, `morning`, ..."""
        return self._translations(f"label.link_{action}")

    def examples_of(self, begin_ms: int, end_ms: int) -> str:
        """The label of examples with their window: `What people write, 09:30–10:30 UTC`."""
        begin, end = between_in(begin_ms, end_ms, self.tzinfo)
        return self._translations("notification.examples_of", label=self.examples, begin=begin, end=end)

    def intent(self, name: str) -> str:
        return self._translations.intent(name)

    def named(self, value: str) -> str:
        """Translate a name from records, if it is a known place: 武汉 for `Wuhan`; other names stay as they are."""
        return self._places.name_in(value, self.language)

    def place(self, dimensions: Mapping[str, str]) -> str:
        """The alert's scope for the middle of a sentence: ` about delivery from Acme`; empty for all records."""
        translations = self._translations
        if not dimensions:
            return translations("place.everything")
        channel, intent, values = dimensions.get("channel"), dimensions.get("intent"), self._values(dimensions)
        noun = translations("place.any_channel")
        if channel:
            noun = self._channel(channel, "place_channel", "place.other_channel")
        return translations(
            "place.order",
            channel=translations("place.channel", channel=noun) if channel else noun,
            intent=translations("place.intent", intent=self.intent(intent)) if intent else "",
            values=translations("place.values", values=translations("place.separator").join(values)) if values else "",
        )

    def subject(self, dimensions: Mapping[str, str]) -> str:
        """The alert's scope for the start of a title: `Acme · delivery complaints`."""
        noun = self._channel(dimensions.get("channel", "complaint"), "subject_channel", "subject.other_channel")
        intent = dimensions.get("intent")
        if intent is not None:
            noun = self._translations("subject.with_intent", intent=self.intent(intent), noun=noun)
        text = " · ".join([*self._values(dimensions), noun])
        return text[0].upper() + text[1:] if self.language in _CAPITALIZED else text

    def duration(self, ms: int) -> str:
        return self._translations.exact_duration(ms)

    def span(self, ms: int) -> str:
        """Label of the chart's line of observed counts, which covers `ms`: `seen in the last 2 h`."""
        return self._translations("notification.span", duration=self.duration(ms))

    def share(self, value: str, count: int, expected: float | None) -> str:
        """Format a value with its count, and the usual count (`expected`) if it is known: `parcel 31 (usually 6)`."""
        if expected is None:
            return self._translations("notification.share", value=value, n=str(count))
        return self._translations(
            "notification.share_usually", value=value, n=str(count), usually=self._translations.quantity(expected)
        )

    def title(self, subject: str, numbers: Numbers, *, at_peak: bool) -> str:
        """Title of a firing alert, cut to the length that a locked phone shows.

        `at_peak`: the latest window is the one with most negatives; else the title says that `numbers` are of an
        earlier one.
        """
        translations, values = self._translations, self._counts(numbers)
        counts = translations("notification.counts" if at_peak else "notification.counts_at_peak", **values)
        if numbers.ratio is not None:
            tail = translations("notification.title_ratio", ratio=_ratio(numbers.ratio), counts=counts)
        elif numbers.rare:
            tail = translations("notification.title_rare", counts=counts)
        else:
            name = "notification.title_share" if at_peak else "notification.title_share_at_peak"
            tail = translations(name, **values)
        return self._fit(subject, tail)

    def resolved_title(self, subject: str, numbers: Numbers, lasted_ms: int) -> str:
        tail = self._translations(
            "notification.resolved_counts", lasted=self.duration(lasted_ms), **self._counts(numbers)
        )
        return self._fit(self._translations("notification.resolved", subject=subject), tail)

    def zone_name(self, ms: int) -> str:
        """Name of the time zone with its offset at a time: `Asia/Shanghai (UTC+8)`, or `UTC`."""
        return self._translations.zone_name(ms)

    def summary(
        self,
        place: str,
        peak: Numbers,
        latest: Numbers | None,
        since_ms: int,
        *,
        peak_ms: tuple[int, int],
        latest_ms: tuple[int, int],
    ) -> str:
        """Summary of a firing alert: its counts, the usual count, and its start.

        `peak` are the counts of the window with most negatives, `latest` those of the latest one, None while that is
        the same. `peak_ms` and `latest_ms` are the start and end of the two windows.
        """
        begin, end = between_in(*peak_ms, self.tzinfo)
        name = "notification.summary" if latest is None else "notification.summary_at_peak"
        text = self._translations(name, place=place, begin=begin, end=end, **self._counts(peak))
        if peak.expected is not None:
            text += self._translations(
                "notification.summary_expected", expected=self._translations.quantity(peak.expected)
            )
        if latest is not None:
            begin, end = between_in(*latest_ms, self.tzinfo)
            text += self._translations("notification.summary_latest", begin=begin, end=end, **self._counts(latest))
        return text + self._translations("notification.summary_since", since=self._translations.moment(since_ms))

    def joined(self, sentences: Sequence[str]) -> str:
        """Join sentences to a paragraph, with the space that the language uses."""
        return ("" if self.language == "zh" else " ").join(sentences)

    def over(self, place: str, peak: Numbers, since_ms: int, lasted_ms: int) -> str:
        expected, since = "", self._translations.moment(since_ms)
        if peak.expected is not None:
            expected = self._translations(
                "notification.over_expected", expected=self._translations.quantity(peak.expected)
            )
        lasted = self.duration(lasted_ms)
        return self._translations(
            "notification.over", place=place, since=since, lasted=lasted, expected=expected, **self._counts(peak)
        )

    def silence_title(self, subject: str, expected: float | None) -> str:
        usual = self._translations.quantity(expected or 0.0)
        return self._fit(subject, self._translations("notification.silence", expected=usual))

    def silence_over(self, subject: str, lasted_ms: int) -> str:
        return self._fit(
            self._translations("notification.resolved", subject=subject),
            self._translations("notification.silence_lasted", lasted=self.duration(lasted_ms)),
        )

    def silent(self, place: str, since_ms: int, expected: float | None) -> str:
        """Summary of a silence: since when no record has arrived, and how many, `expected`, are usual in that time."""
        since, usual = self._translations.moment(since_ms), self._translations.quantity(expected or 0.0)
        return self._translations("notification.silent", place=place, since=since, expected=usual)

    def speaks_again(self, place: str, since_ms: int, lasted_ms: int) -> str:
        since, lasted = self._translations.moment(since_ms), self.duration(lasted_ms)
        return self._translations("notification.speaks_again", place=place, since=since, lasted=lasted)

    def thresholds(self, rule: str, count: int, share: float) -> str:
        return self._translations(
            "notification.thresholds", rule=rule, count=str(count), share=self._translations.percent(share)
        )

    def late(self, records: int) -> str:
        return self._translations("notification.late", records=str(records))

    def without(self, partitions: Sequence[str]) -> str:
        return self._translations("notification.without", partitions=", ".join(partitions))

    def flapping(self) -> str:
        return self._translations("notification.flapping")

    def still_firing(self, title: str, age_ms: int) -> str:
        return self._fit(self._translations("notification.still_firing", age=self.duration(age_ms), title=title))

    def acknowledged(self, title: str, by: str) -> str:
        return self._fit(self._translations("notification.acknowledged", by=by, title=title))

    def told(self, began_ms: int, told_ms: int, over_ms: int | None) -> str:
        """A sentence on when receivers were notified, and how long after the alert began (times in ms since the epoch).

        `over_ms` is the end of the alert; None while it fires.
        """
        told, late = self._translations.moment(told_ms), self.duration(max(0, told_ms - began_ms) // 60_000 * 60_000)
        if over_ms is None:
            return self._translations("notification.told", told=told, late=late)
        over = self._translations.moment(over_ms)
        return self._translations("notification.told_over", told=told, late=late, over=over)

    def resolved_by_hand(self, by: str) -> str:
        return self._translations("notification.resolved_by_hand", by=by)

    def said(self, by: str, comment: str) -> str:
        return self._translations("notification.said", by=by, comment=comment)

    def note(self, title: str, entry: HistoryEntry) -> str:
        """Title of a note on the action `entry`: a user commented, assigned the alert, or gave up its assignment."""
        kind = "unassign" if entry.action == "assign" and not entry.to else entry.action
        return self._fit(self._translations(f"notification.note_{kind}", by=entry.by, to=entry.to or "", title=title))

    def more(self, count: int) -> str:
        """Suffix of a page's title for its other alerts, of which there are `count`: ` (+2 more)`."""
        return self._translations("notification.more", count=str(count))

    def first_steps(self, intent: str | None) -> tuple[str, ...]:
        """Instructions for the first steps to take, one per item: those for the intent, or general ones."""
        name = f"first_steps.{intent}"
        return self._translations.lines(name if name in self._translations else "first_steps.default")

    def _fit(self, head: str, tail: str = "") -> str:
        return fit(head, tail, _TITLE_CHARS[self.language])

    def _counts(self, numbers: Numbers) -> dict[str, str]:
        return {
            "negative": str(numbers.negative),
            "total": str(numbers.total),
            "share": self._translations.percent(numbers.share),
            "window": self.duration(numbers.window_ms),
        }

    def _channel(self, channel: str, known: str, other: str) -> str:
        """The message for a channel in the section `known`, or `other` for a channel that is not in it."""
        name = f"{known}.{channel}"
        return self._translations(name) if name in self._translations else self._translations(other, channel=channel)

    def _shown(self, name: str, value: str) -> str:
        return self.named(value) if name == "region" else value

    def _values(self, dimensions: Mapping[str, str]) -> list[str]:
        """Dimension values for display, without channel and intent; long ones are cut."""
        default = self._translations("others.default")
        return [
            self._translations.get(f"others.{name}", default)
            if dimensions[name] == OTHER
            else isolated(fit(self._shown(name, dimensions[name]), "", _VALUE_CHARS))
            for name in _DIMENSIONS
            if name in dimensions
        ]


def fit(head: str, tail: str, limit: int) -> str:
    """Join two texts in at most `limit` characters.

    Only `head` is cut, because `tail` has the numbers.
    """
    room = limit - len(tail)
    if len(head) > max(room, 0):
        kept = head[: room - 1].rstrip() + "…" if room > 0 else ""
        head = kept if closed(kept) == kept else closed(head[: room - 2].rstrip() + "…")
    return (head + tail)[:limit]


@functools.cache
def wording_for(language: str, zone: str = "UTC", places: Path | None = None) -> Wording:
    """Load the texts of a language and time zone (cached). `places` is the operator's file of place names.

    Raises KeyError for a language that `alerting.language` does not allow, ValueError for an unknown time zone,
    ConfigError for an invalid file.
    """
    return Wording(language, zone, places_of(places))


def wording_of(settings: AlertingSettings) -> Wording:
    """The texts of notifications according to the settings. Raises ConfigError for an invalid file of place names."""
    return wording_for(settings.language, settings.time_zone, settings.places)


def _ratio(ratio: float) -> str:
    """Write a ratio as text: `4.2`, from 10 on without a decimal."""
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"
