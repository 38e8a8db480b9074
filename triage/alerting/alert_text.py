"""Title and summary of an alert, built from its numbers in the language and time zone of a `Wording`. Pure.

Alerts are stored as numbers, so that each reader gets them in their own language and time zone.
"""

from triage.alerting.wording import Numbers, Wording
from triage.clock import parse_rfc3339
from triage.schemas.alert import Alert


def title_of(alert: Alert, wording: Wording) -> str:
    """Return the title of an alert. Test notifications and alerts stored without numbers keep their stored title."""
    if alert.kind == "silence" and alert.window_end is not None:
        subject, lasted_ms = wording.subject(alert.dimensions), _lasted_ms(alert)
        over = alert.status == "resolved"
        return wording.silence_over(subject, lasted_ms) if over else wording.silence_title(subject, alert.peak_expected)
    if not _has_numbers(alert):
        return alert.title
    subject = wording.subject(alert.dimensions)
    if alert.status == "resolved":
        return wording.resolved_title(subject, _peak(alert), _lasted_ms(alert))
    # The peak reached the rule's thresholds; the latest window may be below them.
    return wording.title(subject, _peak(alert), at_peak=_at_peak(alert))


def summary_of(alert: Alert, wording: Wording) -> str:
    """Return the summary of an alert: counts, expected count, start, and remarks on the reliability of the counts.

    Alerts that were stored without numbers keep their stored summary.
    """
    if alert.kind == "silence" and alert.window_end is not None:
        place, since_ms = wording.place(alert.dimensions), parse_rfc3339(alert.started_at)
        parts = [wording.silent(place, since_ms, alert.peak_expected)]
        if alert.resolved_by is not None:
            return wording.joined([*parts, wording.resolved_by_hand(alert.resolved_by.by)])
        if alert.status == "resolved":
            return wording.speaks_again(place, since_ms, _lasted_ms(alert))
        return wording.joined([*parts, wording.without(alert.without)] if alert.without else parts)
    if not _has_numbers(alert):
        return alert.summary
    place, since_ms = wording.place(alert.dimensions), parse_rfc3339(alert.started_at)
    if alert.status == "resolved":
        over = wording.over(place, _peak(alert), since_ms, _lasted_ms(alert))
        by_hand = [wording.resolved_by_hand(alert.resolved_by.by)] if alert.resolved_by else []
        return wording.joined([over, *by_hand])
    latest = Numbers(alert.negative, alert.total, alert.window_s * 1000, alert.expected)
    parts = [
        wording.summary(
            place,
            _peak(alert),
            None if _at_peak(alert) else latest,
            since_ms,
            peak_ms=_between(alert, alert.peak_end),
            latest_ms=_between(alert, alert.window_end),
        )
    ]
    if alert.late_records:
        parts.append(wording.late(alert.late_records))
    if alert.without:
        parts.append(wording.without(alert.without))
    if alert.flapping:
        parts.append(wording.flapping())
    if alert.thresholds is not None:
        parts.append(wording.thresholds(alert.rule, alert.thresholds.count, alert.thresholds.share))
    return wording.joined(parts)


def _has_numbers(alert: Alert) -> bool:
    return alert.peak_total > 0 and alert.window_end is not None


def _peak(alert: Alert) -> Numbers:
    return Numbers(alert.peak_negative, alert.peak_total, alert.window_s * 1000, alert.peak_expected)


def _at_peak(alert: Alert) -> bool:
    return (alert.negative, alert.total) == (alert.peak_negative, alert.peak_total)


def _lasted_ms(alert: Alert) -> int:
    return parse_rfc3339(alert.ended_at or alert.updated_at) - parse_rfc3339(alert.started_at)


def _between(alert: Alert, end: str | None) -> tuple[int, int]:
    """Start and end in ms of the window that ends at `end`; of the latest one where it is not known."""
    end_ms = parse_rfc3339(end or alert.window_end or alert.updated_at)
    return end_ms - alert.window_s * 1000, end_ms
