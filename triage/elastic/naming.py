"""Names the index of a record by its event time alone, so that retries and replays find the same document."""

import re
from datetime import date, timedelta
from functools import lru_cache

from elasticsearch import Elasticsearch

from triage.clock import from_ms
from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.mapping import JsonObject
from triage.elastic.template import feedback_template_name, missing_fields, versions_have_offsets
from triage.errors import AccessDenied, ConfigError

# Default dates of sources (1970-01-01, 1900-01-01) must not create an index per year.
_OLD_BEFORE_YEAR = 2000
_DAY_MS = 24 * 60 * 60 * 1000
_DAILY = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})")


def index_name(prefix: str, event_ms: int, daily_from: date) -> str:
    """Name of the index for records with the event time `event_ms` (ms since the epoch).

    `prefix-YYYY.MM.DD` (UTC) from `daily_from` on, `prefix-YYYY` before it, `prefix-old` before 2000.
    """
    return _of_day(prefix, event_ms // _DAY_MS, daily_from)


@lru_cache(maxsize=1_024)
def _of_day(prefix: str, days: int, daily_from: date) -> str:
    """Name of the index for records of a day, counted from the epoch: most records are of a few days."""
    day = from_ms(days * _DAY_MS).date()
    if day.year < _OLD_BEFORE_YEAR:
        return f"{prefix}-old"
    if day < daily_from:
        return f"{prefix}-{day.year:04d}"
    return f"{prefix}-{day.year:04d}.{day.month:02d}.{day.day:02d}"


def daily_date(prefix: str, name: str) -> date | None:
    """The day (UTC) in the name of a daily index, `prefix-YYYY.MM.DD`; None for other names."""
    if not name.startswith(f"{prefix}-") or (match := _DAILY.fullmatch(name[len(prefix) + 1 :])) is None:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def belongs_to(prefix: str, name: str) -> bool:
    """True if `index_name` can return this name; `feedback-eu-2026` does not belong to the prefix `feedback`."""
    suffix = name.removeprefix(f"{prefix}-")
    return suffix != name and (
        suffix == "old" or re.fullmatch(r"\d{4}", suffix) is not None or daily_date(prefix, name) is not None
    )


def may_hold(prefix: str, name: str, start_ms: int | None, end_ms: int | None) -> bool:
    """True if the index `name` may hold records with event times in this range (ms since the epoch, end exclusive).

    None sets no bound. By its name `prefix-YYYY.MM.DD` holds one day (UTC), `prefix-YYYY` days of one year,
    `prefix-old` those before 2000; any other index may hold all times.
    """
    if not belongs_to(prefix, name):
        return True
    suffix = name.removeprefix(f"{prefix}-")
    if (day := daily_date(prefix, name)) is not None:
        first, after = day, day + timedelta(days=1)
    elif suffix == "old":
        first, after = date.min, date(_OLD_BEFORE_YEAR, 1, 1)
    else:
        year = int(suffix)
        first, after = date(year, 1, 1), date(year + 1, 1, 1)
    starts_after = end_ms is not None and from_ms(end_ms).date() < first
    ends_before = start_ms is not None and from_ms(start_ms).date() >= after
    return not (starts_after or ends_before)


class IndexNaming:
    """Names the index of a record: `index_name` with a fixed prefix and first day of daily indices."""

    def __init__(self, prefix: str, daily_from: date) -> None:
        self.prefix = prefix
        self.daily_from = daily_from

    def index_for(self, event_ms: int) -> str:
        return index_name(self.prefix, event_ms, self.daily_from)


def read_daily_from(client: Elasticsearch, settings: ElasticsearchSettings) -> date:
    """Read the date that `triage index apply` fixed, from the `_meta` of the index template.

    Raises ConfigError if the template is missing, was not made by `apply`, or lacks a field of the enriched record;
    also Unavailable and AccessDenied.
    """
    name, fix = feedback_template_name(settings.index_prefix), "run `triage index apply`"
    if (template := _template(client, name)) is None:
        raise ConfigError(f"Elasticsearch has no index template {name}; {fix}")
    try:
        daily_from = date.fromisoformat(template["_meta"]["daily_from"])
    except (KeyError, TypeError, ValueError):
        raise ConfigError(f"index template {name} has no date in _meta.daily_from; {fix}") from None
    if missing := missing_fields(template):
        raise ConfigError(f"index template {name} lacks {', '.join(missing)}; {fix}")
    return daily_from


def read_offset_versions(client: Elasticsearch, settings: ElasticsearchSettings) -> bool:
    """True if the index template says that document versions in new indices hold the offset (`triage.schemas.version`).

    False also without a template or the privilege to read it. Raises Unavailable.
    """
    try:
        template = _template(client, feedback_template_name(settings.index_prefix))
    except AccessDenied:
        return False
    return template is not None and versions_have_offsets(template.get("template", {}))


def _template(client: Elasticsearch, name: str) -> JsonObject | None:
    with translated():
        response = client.options(ignore_status=404).indices.get_index_template(name=name)
    found = response.body.get("index_templates") or [] if response.meta.status == 200 else []
    return dict(found[0]["index_template"]) if found else None
