"""Builds the alert document of an episode, which is stored in the index and the topic, and sent to receivers."""

from urllib.parse import quote

from triage.alerting.alert_text import summary_of, title_of
from triage.alerting.lifecycle.episode import SILENCE, Episode
from triage.alerting.rules.model import Rule
from triage.alerting.wording import wording_for, wording_of
from triage.clock import rfc3339
from triage.config import AlertingSettings
from triage.schemas.alert import Alert, Assessment, Chart, Evidence, Thresholds

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
    """Build the alert document of an episode; `now_ms` becomes its time of update.

    `rule` is None if it was removed from the rule file. `evidence` has examples from the index, `chart` the latest
    counts, `assessment` is the most recent one by a user.
    """
    evidence = evidence or Evidence()
    wording = wording_of(settings)
    ended_ms = _ended_ms(episode, settings)
    snoozed_ms = episode.snoozed_until_ms
    alert = Alert(
        dedup_key=episode.dedup_key,
        rule=episode.rule,
        key=episode.key,
        dimensions=episode.dimensions,
        status=episode.status,
        severity=episode.severity,
        title="",
        summary="",
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
        window_end=rfc3339(episode.end_ms),
        peak_end=rfc3339(episode.peak_end_ms or episode.end_ms),
        thresholds=_thresholds(episode, rule),
        kind="silence" if SILENCE in episode.causes else "spike",
        told_at=episode.told_at,
        assigned=episode.assigned,
        resolved_by=episode.resolved_by,
        history=list(episode.history),
        examples_end=evidence.end if evidence.examples else None,
    )
    alert.title, alert.summary = title_of(alert, wording), summary_of(alert, wording)
    return alert


def _ended_ms(episode: Episode, settings: AlertingSettings) -> int | None:
    """The end of the last step that fired, or the time at which somebody ended the alert; None while it is open."""
    if episode.open:
        return None
    if episode.resolved_ms is not None:
        return max(episode.resolved_ms, episode.started_ms)
    return episode.last_firing_ms + settings.window_s * 1000


def _thresholds(episode: Episode, rule: Rule | None) -> Thresholds | None:
    if rule is None or rule.static is None or "spike" in episode.causes:
        return None
    return Thresholds(rule.static.count_at_least, rule.static.share_at_least)


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
    """Format a duration in English, for logs and reasons: `1 h 30 min`, `5 min`, `2 d`, `45 s`."""
    return wording_for("en").duration(ms)


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
