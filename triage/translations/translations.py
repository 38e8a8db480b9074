"""Formats messages and their values in one language, and times in the reader's time zone."""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup

from triage.clock import MINUTE_MS, from_ms, rfc3339, zone_named
from triage.translations.catalogue import catalogue
from triage.translations.local_times import is_utc, local, moment_in, offset_name

_DAY_MINUTES = 24 * 60
_UNKNOWN = "–"


class Translations:
    """Messages of the console and of alerts in one language and time zone.

    `translations("explore.count", n=3)` is the message with that name and value, here "3 records". Times are in ms
    since the epoch.
    """

    def __init__(self, language: str, zone: str = "UTC") -> None:
        """Load a language. Raises KeyError if it has no catalogue, ValueError if `zone` is not a time zone."""
        self.language = language
        self.zone = zone
        self.tzinfo = zone_named(zone)
        self._messages = catalogue(language)
        self._locale = Locale.parse(language)

    def __call__(self, name: str, /, **values: object) -> str:
        """Format a message with its values. Raises KeyError for an unknown name.

        Integers are written in the form of the language; the value `n` chooses the plural form.
        """
        message = self._message(name, values)
        return message.format_map(self._written(values)) if values else message

    def html(self, name: str, /, **values: object) -> Markup:
        """Format a message that contains HTML; its values are escaped unless they are Markup."""
        message = self._message(name, values)
        return Markup(message).format_map(self._written(values))  # noqa: S704 - the catalogue is our own

    def lines(self, name: str, /) -> tuple[str, ...]:
        """The lines of the multi-line message `name`."""
        return tuple(self(name).splitlines())

    def __contains__(self, name: str) -> bool:
        return name in self._messages

    def get(self, name: str, default: str) -> str:
        """Return the message `name`, which takes no values, or `default` if the catalogue does not have it."""
        return self(name) if name in self else default

    def term(self, kind: str, value: str) -> str:
        """Return the name of a value of the field `kind` (`sentiment`, `channel`, ...); if it has none, the value."""
        if kind in {"intent", "own_intent"}:
            return self.intent(value)
        if kind == "aspect":
            return self.get(f"aspect.{value}", self.intent(value))
        if kind == "aspect_pair":
            label, _, polarity = value.partition(":")
            return f"{self.term('aspect', label)} · {self.term('sentiment', polarity)}"
        if kind == "risk":
            name, _, level = value.partition(":")
            return f"{name.replace('_', ' ')} · {self.term('severity', level)}"
        return self.get(f"{kind}.{value}", value)

    def intent(self, label: str) -> str:
        """The name of an intent, such as "product fault" for `product_fault`; by default the label with spaces."""
        return self.get(f"intent.{label}", label.replace("_", " "))

    @property
    def html_language(self) -> Literal["en-US", "zh-CN"]:
        return "zh-CN" if self.language == "zh" else "en-US"

    def number(self, value: int | None) -> str:
        """Format an integer as `12,345`; a dash for None."""
        return _UNKNOWN if value is None else format_decimal(value, locale=self._locale)

    def percent(self, share: float | None) -> str:
        """Format a share of 0 to 1 as `91%`; a dash for None."""
        return _UNKNOWN if share is None else format_percent(share, locale=self._locale)

    def quantity(self, value: float) -> str:
        """Format a number as `12` or `3.4`: with one decimal below ten, unless the decimal is 0."""
        return format_decimal(value, "#,##0.#" if value < 9.95 else "#,##0", locale=self._locale)

    def iso(self, ms: int) -> str:
        """Format a time for programs: `2026-11-22T09:30:00.000Z`."""
        return rfc3339(ms)

    def when(self, ms: int, now_ms: int) -> str:
        """Format a time in the reader's time zone: `14:05` if it is on the day of `now_ms`, else with its date."""
        return self._short(local(ms, self.tzinfo), local(now_ms, self.tzinfo))

    def utc(self, ms: int) -> str:
        """Format in UTC the time that `when` shows: `06:05 UTC`, with the date if it differs from the local date.

        Empty if the reader's time zone is at UTC then.
        """
        if is_utc(ms, self.tzinfo):
            return ""
        return f"{self._short(from_ms(ms), local(ms, self.tzinfo).replace(tzinfo=UTC))} UTC"

    def when_and_utc(self, ms: int, now_ms: int) -> str:
        """Format a time in the reader's time zone, followed by UTC if it differs: `14:05 (06:05 UTC)`."""
        utc = self.utc(ms)
        return f"{self.when(ms, now_ms)} ({utc})" if utc else self.when(ms, now_ms)

    def moment(self, ms: int) -> str:
        """Format a time with its date and offset: `2026-11-22 17:30 UTC+8 (09:30 UTC)`."""
        return moment_in(ms, self.tzinfo)

    def zone_name(self, ms: int) -> str:
        """Name of the reader's time zone with its offset at that time: `Asia/Shanghai (UTC+8)`, or `UTC`."""
        return self.zone if self.zone == "UTC" else f"{self.zone.replace('_', ' ')} ({offset_name(ms, self.tzinfo)})"

    def duration(self, ms: int) -> str:
        """Format ms as `5 min`, `2 h 10 min` or `3 d 4 h`; shorter times as a phrase such as "under a minute"."""
        minutes = max(0, ms) // MINUTE_MS
        if minutes < 1:
            return self("time.under_a_minute")
        days, rest = divmod(minutes, _DAY_MINUTES)
        hours, left = divmod(rest, 60)
        parts = [("days", days), ("hours", hours)] if days else [("hours", hours), ("minutes", left)]
        return " ".join(self(f"time.{unit}", n=value) for unit, value in parts if value)

    def exact_duration(self, ms: int) -> str:
        """Format ms in their two largest units: `1 h 30 min`, `45 s`, `0 s`."""
        parts, left = [], ms // 1000
        for unit, seconds in (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
            count, left = divmod(left, seconds)
            if count:
                parts.append(self(f"time.{unit}", n=count))
        return " ".join(parts[:2]) or self("time.seconds", n=0)

    def _short(self, moment: datetime, now: datetime) -> str:
        name = "day_of_year" if moment.year != now.year else "day" if moment.date() != now.date() else "clock"
        # Babel would write an aware time in UTC.
        return format_datetime(moment.replace(tzinfo=None), self(f"time.{name}"), locale=self._locale)

    def _message(self, name: str, values: Mapping[str, object]) -> str:
        message = self._messages[name]
        if isinstance(message, str):
            return message
        count = values["n"]
        assert isinstance(count, int), f"{name} needs a count `n`"
        return message.get(self._locale.plural_form(count), message["other"])

    def _written(self, values: Mapping[str, object]) -> dict[str, object]:
        return {name: self.number(value) if type(value) is int else value for name, value in values.items()}


@functools.cache
def translations_for(language: str, zone: str = "UTC") -> Translations:
    """Return the `Translations` of a language and time zone (cached).

    Raises KeyError if the language has no catalogue, ValueError if `zone` is not the name of a time zone.
    """
    return Translations(language, zone)
