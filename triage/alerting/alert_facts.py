"""Facts of an alert in words: numbers, times, and who did what, in a reader's language and time zone. Pure."""

from triage.clock import parse_rfc3339
from triage.schemas.alert import Acknowledgement, Alert, Assessment, Refusal
from triage.translations import Translations


def facts_of(alert: Alert, translations: Translations) -> dict[str, str]:
    """The facts as text, by the name of their message (`since`, `peak`, ...); empty text where one is unknown."""
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
        "until": translations.moment(parse_rfc3339(alert.ended_at)) if alert.ended_at else "",
        "lasted": translations.duration(parse_rfc3339(alert.ended_at) - start_ms) if alert.ended_at else "",
        "peak": "" if alert.kind == "silence" else peak + _expected(alert.peak_expected, translations),
        "latest": "" if alert.kind == "silence" else latest + _expected(alert.expected, translations),
        "rule": alert.rule,
        "fired_by": ", ".join(alert.causes),
        "acknowledged": _by_whom(alert.acknowledged, translations),
        "snoozed": _snoozed(alert, translations),
        "assessed": _assessed(alert.assessment, translations),
        "late": translations("alert.late", n=alert.late_records) if alert.late_records else "",
        "without": ", ".join(alert.without),
        "paged_with": alert.page if alert.page and alert.page != alert.dedup_key else "",
        "not_paged": "" if alert.paged else alert.not_paged_because or translations("alert.yes"),
        "taken_by": ", ".join(alert.taken_by),
        "refused_by": "; ".join(_refusal(one, alert, translations) for one in alert.refusals),
        "updated": translations.moment(parse_rfc3339(alert.updated_at)),
    }


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
