"""What a page says: an alert from an episode, in words for whoever is woken by it."""

from collections.abc import Mapping
from urllib.parse import quote

from triage.alerting.lifecycle import Episode, Evidence
from triage.alerting.rules import Rule
from triage.clock import from_ms, rfc3339
from triage.config import AlertingSettings
from triage.schemas.alert import Alert

_FIELDS = {"intent": "intent.label", "severity": "severity.level", "queue": "route.queue"}


def build_alert(episode: Episode, rule: Rule | None, settings: AlertingSettings, now_ms: int) -> Alert:
    """The alert as it is stored and sent; `rule` is None where the rule file has it no more."""
    evidence = episode.evidence or Evidence()
    ended_ms = None if episode.firing else episode.last_firing_ms + settings.window_s * 1000
    return Alert(
        dedup_key=episode.dedup_key,
        rule=episode.rule,
        key=episode.key,
        dimensions=episode.dimensions,
        status=episode.status,
        severity=episode.severity,
        title=_title(episode),
        summary=_summary(episode, rule, settings.window_s * 1000),
        started_at=rfc3339(episode.started_ms),
        updated_at=rfc3339(now_ms),
        window_s=episode.window_ms // 1000,
        negative=episode.negative,
        total=episode.total,
        share=round(episode.negative / episode.total, 4) if episode.total else 0.0,
        peak_negative=episode.peak_negative,
        ended_at=None if ended_ms is None else rfc3339(ended_ms),
        expected=episode.expected,
        paged=episode.paged,
        not_paged_because=episode.not_paged_because,
        runbook=episode.runbook,
        console_url=f"{settings.console_url.rstrip('/')}/alerts/{episode.dedup_key}",
        kibana_url=_kibana_url(settings.kibana_url, episode),
        top_intents=evidence.top_intents,
        top_entities=evidence.top_entities,
        examples=evidence.examples,
    )


def where(dimensions: Mapping[str, str]) -> str:
    """`intent delivery, brand Acme`, or `all feedback`."""
    return ", ".join(f"{name} {value}" for name, value in sorted(dimensions.items())) or "all feedback"


def duration(ms: int) -> str:
    """`1 h 30 min`, `5 min`, `2 d`, `45 s`."""
    parts = []
    left = ms // 1000
    for name, seconds in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _title(episode: Episode) -> str:
    place = where(episode.dimensions)
    if episode.firing:
        # The peak reached the rule's thresholds; the latest window need not any more.
        share = _percent(episode.peak_negative, episode.peak_total)
        observed = f"{episode.peak_negative} of {episode.peak_total} ({share}) in {duration(episode.window_ms)}"
        return f"Negative feedback spikes: {place}: {'' if _at_peak(episode) else 'peak '}{observed}"
    peak = f"{episode.peak_negative} of {episode.peak_total}"
    return f"Resolved: {place} (peak {peak} negative in {duration(episode.window_ms)})"


def _summary(episode: Episode, rule: Rule | None, step_ms: int) -> str:
    place = where(episode.dimensions)
    since = f"{from_ms(episode.started_ms):%Y-%m-%d %H:%M} UTC"
    if not episode.firing:
        lasted = duration(episode.last_firing_ms + step_ms - episode.started_ms)
        return (
            f"The spike of negative feedback for {place} is over. It began at {since} and lasted {lasted}; at its peak "
            f"{episode.peak_negative} of {episode.peak_total} records in {duration(episode.window_ms)} were negative."
        )
    begin, end = from_ms(episode.end_ms - episode.window_ms), from_ms(episode.end_ms)
    latest = f"between {begin:%H:%M} and {end:%H:%M} UTC"
    if _at_peak(episode):
        text = f"{_records(episode.negative, episode.total)} for {place} {latest} were negative. Firing since {since}."
    else:
        text = (
            f"At the peak {_records(episode.peak_negative, episode.peak_total)} for {place} in "
            f"{duration(episode.window_ms)} were negative; {latest} it was {episode.negative} of {episode.total}. "
            f"Firing since {since}."
        )
    if rule is not None:
        threshold = rule.static
        text += (
            f" Rule {rule.name} fires at {threshold.count_at_least} negatives and "
            f"{threshold.share_at_least:.0%} negative."
        )
    return text


def _at_peak(episode: Episode) -> bool:
    return (episode.negative, episode.total) == (episode.peak_negative, episode.peak_total)


def _records(negative: int, total: int) -> str:
    return f"{negative} of {total} records ({_percent(negative, total)})"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "0%"


def _kibana_url(base: str | None, episode: Episode) -> str | None:
    if not base:
        return None
    terms = [f"{_FIELDS.get(name, name)}: {_kql(value)}" for name, value in sorted(episode.dimensions.items())]
    query = " and ".join([*terms, 'sentiment.label: "negative"'])
    start, end = rfc3339(episode.started_ms - episode.window_ms), rfc3339(episode.end_ms)
    state = f"?_g=(time:(from:{_rison(start)},to:{_rison(end)}))&_a=(query:(language:kuery,query:{_rison(query)}))"
    return f"{base.rstrip('/')}/app/discover#/{state}"


def _kql(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rison(text: str) -> str:
    escaped = text.replace("!", "!!").replace("'", "!'")
    return f"'{quote(escaped, safe='')}'"
