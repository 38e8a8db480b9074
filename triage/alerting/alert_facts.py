"""Facts of an alert as text: numbers, times, and users' actions, in a reader's language and time zone. Pure."""

from dataclasses import dataclass

from triage.clock import parse_rfc3339
from triage.schemas.alert import Acknowledgement, Alert, Assessment, HistoryEntry, Refusal
from triage.translations import Translations


def facts_of(alert: Alert, translations: Translations) -> dict[str, str]:
    """The facts of an alert as text, by message name (`since`, `peak`, ...); an unknown fact is an empty text."""
    start_ms = parse_rfc3339(alert.started_at)
    window = translations.duration(alert.window_s * 1000)
    latest = translations(
        "alert.latest",
        n=alert.negative,
        total=alert.total,
        share=translations.percent(alert.share),
        window=window,
    )
    peak = translations("alert.peak", n=alert.peak_negative, window=window)
    return {
        "since": translations.moment(start_ms),
        "told": _told(alert, translations),
        "until": translations.moment(parse_rfc3339(alert.ended_at)) if alert.ended_at else "",
        "lasted": translations.duration(parse_rfc3339(alert.ended_at) - start_ms) if alert.ended_at else "",
        "peak": "" if alert.kind == "silence" else peak + _expected(alert.peak_expected, translations),
        "latest": "" if alert.kind == "silence" else latest + _expected(alert.expected, translations),
        "rule": alert.rule,
        "fired_by": ", ".join(alert.causes),
        "acknowledged": _by_whom(alert.acknowledged, translations),
        "snoozed": _snoozed(alert, translations),
        "assessed": _assessed(alert.assessment, translations),
        "assigned": _assigned(alert, translations),
        "resolved_by": _by_whom(alert.resolved_by, translations),
        "late": translations("alert.late", n=alert.late_records) if alert.late_records else "",
        "without": ", ".join(alert.without),
        "paged_with": alert.page if alert.page and alert.page != alert.dedup_key else "",
        "not_paged": "" if alert.paged else alert.not_paged_because or translations("alert.yes"),
        "taken_by": ", ".join(alert.taken_by),
        "refused_by": "; ".join(_refusal(one, alert, translations) for one in alert.refusals),
        "updated": translations.moment(parse_rfc3339(alert.updated_at)),
    }


@dataclass(frozen=True, slots=True)
class Past:
    """An event in the history of an alert: time in ms since the epoch, description, and the user's comment if any."""

    at_ms: int
    text: str
    comment: str = ""


def history_of(alert: Alert, translations: Translations) -> list[Past]:
    """The history of an alert, oldest first: start, end, notification, and users' actions."""
    found = [Past(parse_rfc3339(alert.started_at), translations("deed.began"))]
    if alert.told_at is not None:
        receivers = ", ".join(alert.taken_by)
        found.append(Past(parse_rfc3339(alert.told_at), translations("deed.told", receivers=receivers)))
    found += [_deed(entry, translations) for entry in alert.history]
    if (said := alert.assessment) is not None:
        text = translations(f"deed.{said.verdict}", by=said.by)
        found.append(Past(parse_rfc3339(said.at), text, said.comment))
    if alert.ended_at is not None and alert.resolved_by is None:
        found.append(Past(parse_rfc3339(alert.ended_at), translations("deed.over")))
    return sorted(found, key=lambda past: past.at_ms)


def _deed(entry: HistoryEntry, translations: Translations) -> Past:
    kind = "unassign" if entry.action == "assign" and not entry.to else entry.action
    until = translations.moment(parse_rfc3339(entry.until)) if entry.until else ""
    text = translations(f"deed.{kind}", by=entry.by, to=entry.to or "", until=until)
    if entry.via:
        text = translations("deed.via", text=text, via=entry.via)
    return Past(parse_rfc3339(entry.at), text, entry.comment)


def _told(alert: Alert, translations: Translations) -> str:
    """The time at which the first receiver got the notification, and how long after the alert began."""
    if alert.told_at is None:
        return ""
    told_ms = parse_rfc3339(alert.told_at)
    late = translations.duration(told_ms - parse_rfc3339(alert.started_at))
    return translations("alert.told", when=translations.moment(told_ms), late=late)


def _assigned(alert: Alert, translations: Translations) -> str:
    if (assigned := alert.assigned) is None:
        return ""
    when = translations.moment(parse_rfc3339(assigned.at))
    return translations("alert.assigned", to=assigned.to, by=assigned.by, when=when)


def _expected(negatives: float | None, translations: Translations) -> str:
    return "" if negatives is None else translations("alert.expected", n=translations.quantity(negatives))


def _refusal(refusal: Refusal, alert: Alert, translations: Translations) -> str:
    when = translations.moment(parse_rfc3339(refusal.at))
    again = "alert.refused_again" if refusal.retried and alert.status == "firing" else "alert.refused"
    return translations(again, receiver=refusal.receiver, error=refusal.error, when=when)


def _snoozed(alert: Alert, translations: Translations) -> str:
    if not alert.snoozed_until:
        return ""
    until = translations.moment(parse_rfc3339(alert.snoozed_until))
    return translations("alert.snoozed_until", who=_by_whom(alert.snoozed, translations), when=until)


def _assessed(assessment: Assessment | None, translations: Translations) -> str:
    if assessment is None:
        return ""
    said = translations(f"action.verdict_{assessment.verdict}")
    who = Acknowledgement(assessment.by, assessment.at, assessment.comment)
    return f"{said} · {_by_whom(who, translations)}"


def _by_whom(acknowledgement: Acknowledgement | None, translations: Translations) -> str:
    if acknowledgement is None:
        return ""
    when = translations.moment(parse_rfc3339(acknowledgement.at))
    text = translations("alert.by", by=acknowledgement.by, when=when)
    return f"{text}: {acknowledgement.comment}" if acknowledgement.comment else text
