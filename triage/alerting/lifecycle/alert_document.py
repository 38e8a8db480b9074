"""The alert document of an episode, which is stored in the index and the topic, and sent to receivers."""

from urllib.parse import quote

from triage.alerting.lifecycle.episode import Episode
from triage.alerting.rules.model import Rule
from triage.alerting.wording import Numbers, wording_for
from triage.clock import rfc3339
from triage.config import AlertingSettings
from triage.schemas.alert import Alert, Assessment, Chart, Evidence

_FIELDS = {"intent": "intent.label", "severity": "severity.level", "queue": "route.queue"}


def build_alert(
    episode: Episode,
    rule: Rule | None,
    settings: AlertingSettings,
    now_ms: int,
    *,
    evidence: Evidence | None = None,
    chart: Chart | None = None,
    assessment: Assessment | None = None,
) -> Alert:
    """The alert document of an episode, as it is stored and sent; `now_ms` is its time of update.

    `rule` is None if it was removed from the rule file. `evidence` has the examples from the index, `chart` the latest
    counts, `assessment` is the last one of a person.
    """
    evidence = evidence or Evidence()
    ended_ms = None if episode.open else episode.last_firing_ms + settings.window_s * 1000
    snoozed_ms = episode.snoozed_until_ms
    return Alert(
        dedup_key=episode.dedup_key,
        rule=episode.rule,
        key=episode.key,
        dimensions=episode.dimensions,
        status=episode.status,
        severity=episode.severity,
        title=_title(episode, settings),
        summary=_summary(episode, rule, settings),
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
        not_paged_because=_not_paged_because(episode),
        runbook=episode.runbook,
        console_url=f"{settings.console_url.rstrip('/')}/alerts/{episode.dedup_key}",
        kibana_url=_kibana_url(settings.kibana_url, episode),
        top_intents=evidence.top_intents,
        top_entities=evidence.top_entities,
        top_words=evidence.top_words,
        examples=evidence.examples,
        state=episode.state,
        peak_total=episode.peak_total,
        peak_expected=episode.peak_expected,
        score=episode.score,
        causes=episode.causes,
        flapping=episode.flapping,
        late_records=episode.late_records,
        page=episode.page,
        acknowledged=episode.acknowledged,
        snoozed=episode.snoozed,
        # Snoozes are stored in the time of closed steps, which is behind the clock by the lateness.
        snoozed_until=None if snoozed_ms is None else rfc3339(snoozed_ms + settings.allowed_lateness_s * 1000),
        chart=chart,
        taken_by=list(episode.taken_by or ()),
        refusals=list(episode.refusals),
        without=list(episode.without),
        assessment=assessment,
    )


def _not_paged_because(episode: Episode) -> str | None:
    if episode.page is None or episode.paged:
        return None if episode.paged else episode.not_paged_because
    reasons = [
        f"{refusal.receiver} did not take it: {refusal.error}"
        + ("; it is asked again while the alert fires" if refusal.retried and episode.open else "")
        for refusal in episode.refusals
    ]
    return "; ".join(reasons) or "no receiver other than the log has taken it"


def duration(ms: int) -> str:
    """A duration in English, for logs and reasons: `1 h 30 min`, `5 min`, `2 d`, `45 s`."""
    return wording_for("en").duration(ms)


def _title(episode: Episode, settings: AlertingSettings) -> str:
    wording = wording_for(settings.language)
    subject = wording.subject(episode.dimensions)
    if not episode.open:
        return wording.resolved_title(subject, _peak(episode), _lasted_ms(episode, settings))
    # The peak reached the rule's thresholds; the latest window may be below them.
    return wording.title(subject, _peak(episode), at_peak=_at_peak(episode))


def _summary(episode: Episode, rule: Rule | None, settings: AlertingSettings) -> str:
    wording = wording_for(settings.language, settings.time_zone)
    place, since_ms = wording.place(episode.dimensions), episode.started_ms
    if not episode.open:
        return wording.over(place, _peak(episode), since_ms, _lasted_ms(episode, settings))
    latest = Numbers(episode.negative, episode.total, episode.window_ms, episode.expected)
    between_ms = episode.end_ms - episode.window_ms, episode.end_ms
    parts = [wording.summary(place, _peak(episode), None if _at_peak(episode) else latest, since_ms, between_ms)]
    if episode.late_records:
        parts.append(wording.late(episode.late_records))
    if episode.without:
        parts.append(wording.without(episode.without))
    if episode.flapping:
        parts.append(wording.flapping())
    if rule is not None and rule.static is not None and "spike" not in episode.causes:
        parts.append(wording.thresholds(rule.name, rule.static.count_at_least, rule.static.share_at_least))
    return ("" if settings.language == "zh" else " ").join(parts)


def _peak(episode: Episode) -> Numbers:
    return Numbers(episode.peak_negative, episode.peak_total, episode.window_ms, episode.peak_expected)


def _lasted_ms(episode: Episode, settings: AlertingSettings) -> int:
    return episode.last_firing_ms + settings.window_s * 1000 - episode.started_ms


def _at_peak(episode: Episode) -> bool:
    return (episode.negative, episode.total) == (episode.peak_negative, episode.peak_total)


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
