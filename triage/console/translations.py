"""What the pages say, in the visitor's language: the catalogues in `locale/`, and how numbers and times are written."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from markupsafe import Markup
from starlette.requests import HTTPConnection

from triage.alerting.wording import wording as alert_wording
from triage.clock import from_ms

LANGUAGES = {"en": "English", "zh": "中文"}
COOKIE = "triage_language"
_DEFAULT = "en"
_LOCALE = Path(__file__).with_name("locale")
_MINUTE_MS = 60_000
_DAY_MINUTES = 24 * 60


class Translations:
    """`words("now.records")` is the message of that name; values are put where its braces are."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._messages = catalogue(language)
        self._alerts = alert_wording(language)

    def __call__(self, name: str, /, **values: object) -> str:
        """Raises KeyError for a name that no catalogue has; a test looks for those."""
        message = self._messages[name]
        return message.format_map(values) if values else message

    def html(self, name: str, /, **values: object) -> Markup:
        """A message with markup of its own; the values are escaped, except for Markup."""
        return Markup(self._messages[name]).format_map(values)  # noqa: S704 - the catalogue is the console's own

    @property
    def html_language(self) -> Literal["en-US", "zh-CN"]:
        return "zh-CN" if self.language == "zh" else "en-US"

    def term(self, kind: str, value: str) -> str:
        """A value of a field as people say it (kinds: `sentiment`, `channel`, ...); one that is not known as it is."""
        if kind in {"intent", "aspect"}:
            return self.intent(value)
        if kind == "aspect_pair":
            label, _, polarity = value.partition(":")
            return f"{self.intent(label)} · {self.term('sentiment', polarity)}"
        return self._messages.get(f"{kind}.{value}", value)

    def intent(self, name: str) -> str:
        return self._alerts.intent(name)

    def subject(self, dimensions: Mapping[str, str]) -> str:
        """What an alert is about, as `Acme · delivery complaints`."""
        return self._alerts.subject(dimensions)

    def percent(self, share: float | None) -> str:
        return "–" if share is None else f"{share:.0%}"

    def number(self, value: int | None) -> str:
        """`12,345`; a dash where it is not known."""
        return "–" if value is None else f"{value:,}"

    def quantity(self, value: float) -> str:
        """`12` or `3.4`: one decimal only where it says something."""
        return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:,.1f}"

    def when(self, ms: int, now_ms: int) -> str:
        """`14:05` on the day of `now_ms`, else with its date (UTC)."""
        moment, now = from_ms(ms), from_ms(now_ms)
        clock = f"{moment:%H:%M}"
        if moment.date() == now.date():
            return clock
        name = "time.day" if moment.year == now.year else "time.day_of_year"
        month = self._messages[f"month.{moment.month}"]
        return self(name, month=month, day=moment.day, year=moment.year, clock=clock)

    def moment(self, ms: int) -> str:
        return f"{from_ms(ms):%Y-%m-%d %H:%M} UTC"

    def duration(self, ms: int) -> str:
        """`5 min`, `2 h 10 min`, `3 d 4 h`; below a minute says so."""
        minutes = max(0, ms) // _MINUTE_MS
        if minutes < 1:
            return self("time.under_a_minute")
        days, rest = divmod(minutes, _DAY_MINUTES)
        hours, left = divmod(rest, 60)
        parts = [("days", days), ("hours", hours)] if days else [("hours", hours), ("minutes", left)]
        return " ".join(self(f"time.{unit}", n=value) for unit, value in parts if value)


@functools.cache
def words(language: str) -> Translations:
    """Raises KeyError for a language without a catalogue."""
    if language not in LANGUAGES:
        raise KeyError(language)
    return Translations(language)


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """Messages by dotted name."""
    return dict(_flat(tomllib.loads((_LOCALE / f"{language}.toml").read_text("utf-8"))))


def translations_of(connection: HTTPConnection) -> Translations:
    """By the visitor's choice, else by what the browser asks for, else English."""
    chosen = connection.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return words(chosen)
    return words(_accepted(connection.headers.get("accept-language", "")))


def _accepted(header: str) -> str:
    wanted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        language, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), language.split("-")[0].lower()))
        except ValueError:
            continue
    return next((language for _, language in sorted(wanted, key=lambda one: one[0]) if language in LANGUAGES), _DEFAULT)


def _flat(messages: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for name, value in messages.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", str(value)))
    return found
