"""Parts of the page as HTML text. Everything that comes from a record is escaped here and nowhere else."""

from html import escape
from urllib.parse import quote

from triage.console.charts import moment_ms, readable
from triage.console.snapshot import Snapshot
from triage.console.wording import duration, number, percent, quantity, when
from triage.schemas.alert import Alert
from triage.schemas.enriched import EnrichedRecord, Entity

_LANGUAGES = {"en": "English", "zh": "Chinese"}
_MAX_TEXT_CHARS = 400


def status(snapshot: Snapshot) -> str:
    """The line in the header: live or not, and as of when."""
    stamp = when(snapshot.at_ms, 0)
    state = "stale" if snapshot.error else "live" if snapshot.known else "connecting"
    simulated = (
        '<span class="chip" title="The demo runs on a simulated clock: hours pass in seconds">simulated time</span>'
        if snapshot.simulated
        else ""
    )
    return (
        f'<span class="dot {state}" aria-hidden="true"></span><span class="state">{state.capitalize()}</span>'
        f"<time>{escape(stamp)} UTC</time>{simulated}"
    )


def banner(snapshot: Snapshot) -> str:
    """What went wrong and what happens now; empty when all is well."""
    if snapshot.error is None:
        return ""
    shown = "The figures below are the last that were read." if snapshot.known else "There are no figures yet."
    return (
        '<div class="banner" role="alert"><strong>Can’t read new data.</strong> '
        f"<span>{escape(snapshot.error)}</span> "
        f"<span>{shown} The page tries again by itself.</span></div>"
    )


def tiles(snapshot: Snapshot) -> str:
    """The figures on top."""
    if not snapshot.known:
        names = ("Records", "Last hour", "Negative", "Dead letters", "Open alerts")
        return f'<dl class="tiles">{"".join(_tile(name, "–", "not read yet") for name in names)}</dl>'
    hour, all_time = snapshot.last_hour, snapshot.all_time
    firing = len(snapshot.open_alerts)
    dead = snapshot.dead_letters
    refused = "not known yet" if dead is None else "refused for good" if dead else "nothing refused"
    shown = [
        _tile("Records", number(all_time.total), "since the first one"),
        _tile("Last hour", number(hour.total), f"{number(snapshot.last_minute)} in the last minute"),
        _tile(
            "Negative",
            percent(hour.negative_share if hour.total else all_time.negative_share),
            f"in the last hour · {percent(all_time.negative_share)} overall" if hour.total else "overall",
        ),
        _tile("Dead letters", number(dead), refused),
        _tile("Open alerts", number(firing), "needs attention" if firing else "all quiet", "hot" if firing else ""),
    ]
    return f'<dl class="tiles">{"".join(shown)}</dl>'


def over_time_caption(snapshot: Snapshot) -> str:
    return "" if snapshot.empty else f"records per {duration(snapshot.step_ms)}, UTC"


def legend() -> str:
    keys = "".join(f'<li><i class="{name}"></i>{name}</li>' for name in ("negative", "neutral", "positive"))
    return f'<ul class="legend" aria-hidden="true">{keys}</ul>'


def alerts(snapshot: Snapshot) -> str:
    """Open alerts first, then those that ended lately."""
    if not snapshot.known:
        return _not_read(snapshot)
    if not snapshot.open_alerts and not snapshot.resolved_alerts:
        return _empty(
            "No alerts so far",
            "An alert opens here when negative feedback spikes. "
            "Try the receivers with <code>triage alerts test</code>.",
        )
    cards = [_alert(alert, snapshot.at_ms) for alert in [*snapshot.open_alerts, *snapshot.resolved_alerts]]
    return f'<ul class="alerts">{"".join(cards)}</ul>'


def records(snapshot: Snapshot) -> str:
    """A table of the latest records; on a phone its rows become cards."""
    if not snapshot.known:
        return _not_read(snapshot)
    if not snapshot.latest:
        return _empty(
            "No feedback yet",
            "Start a <code>triage worker</code>, then send records to the topics or run "
            "<code>triage ingest FILE --channel complaint</code>. "
            "<code>triage demo</code> does all of it with sample data.",
        )
    rows = "".join(_row(record, snapshot.at_ms) for record in snapshot.latest)
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Time", "Feedback", "Intent", "Sentiment", "Severity"))
    return f'<table class="records"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def nothing_to_chart(snapshot: Snapshot) -> str:
    """What stands in the place of a chart; empty when there is something to draw."""
    if not snapshot.empty:
        return ""
    if not snapshot.known:
        return _not_read(snapshot)
    return _empty("Nothing to draw yet", "The chart fills as soon as the first records are enriched.")


def _not_read(snapshot: Snapshot) -> str:
    if snapshot.error:
        return _empty("Nothing read yet", "This fills as soon as Elasticsearch answers.")
    return _empty("Reading …", "The first figures are on their way.")


def _tile(name: str, value: str, note: str, kind: str = "") -> str:
    return (
        f'<div class="tile {kind}"><dt>{name}</dt>'
        f'<dd class="value">{value}</dd><dd class="note">{escape(note)}</dd></div>'
    )


def _empty(title: str, advice_html: str) -> str:
    return f'<div class="empty"><strong>{title}</strong><p>{advice_html}</p></div>'


def _alert(alert: Alert, now_ms: int) -> str:
    start = moment_ms(alert.started_at)
    end = moment_ms(alert.ended_at) if alert.ended_at else now_ms
    firing = alert.status == "firing"
    lasted = f"for {duration(end - start)}" if firing else f"lasted {duration(end - start)}"
    now = f" · now {number(alert.negative)} of {number(alert.total)}" if firing else ""
    expected = "" if alert.expected is None else f", {quantity(alert.expected)} expected"
    intents = "".join(
        f"<li>{escape(readable(share.value))} <b>{number(share.count)}</b></li>" for share in alert.top_intents[:3]
    )
    shares = f'<ul class="shares">{intents}</ul>' if intents else ""
    example = f"<blockquote>{escape(_cut(alert.examples[0].text, 160))}</blockquote>" if alert.examples else ""
    return (
        f'<li class="alert {"firing" if firing else "resolved"}">'
        f'<div class="alert-head"><span class="pill {"critical" if firing else "resolved"}">'
        f'{escape(alert.status)}</span><span class="pill outline">{escape(alert.severity)}</span>'
        f'<span class="since">since <time datetime="{escape(alert.started_at)}">{escape(when(start, now_ms))}</time>, '
        f"{escape(lasted)}</span></div>"
        f'<h3><a href="alerts/{quote(alert.dedup_key, safe="")}">{escape(alert.title)}</a></h3>'
        f'<p class="observed"><b>{number(alert.peak_negative)}</b> negative in {duration(alert.window_s * 1000)} '
        f"at its peak{escape(expected)}{now}</p>"
        f"{shares}{example}</li>"
    )


def _row(record: EnrichedRecord, now_ms: int) -> str:
    label, level = record.sentiment.label, record.severity.level
    language = _LANGUAGES.get(record.language, record.language)
    facts = [record.channel.value, language, record.brand, record.region]
    meta = " · ".join(escape(fact) for fact in facts if fact)
    return (
        f'<tr><td class="at"><time datetime="{escape(record.timestamp)}">'
        f"{escape(when(moment_ms(record.timestamp), now_ms))}</time></td>"
        f'<td class="what"><p lang="{escape(record.language)}">{highlighted(record.text, record.entities)}</p>'
        f'<span class="meta">{meta}</span></td>'
        f'<td class="intent">{escape(readable(record.intent.label))}</td>'
        f'<td><span class="feeling {escape(label)}"><i aria-hidden="true"></i>{escape(label)}</span></td>'
        f'<td><span class="pill {escape(level)}">{escape(level)}</span></td></tr>'
    )


def highlighted(text: str, entities: list[Entity]) -> str:
    """The text with its entities marked; offsets are code points. What lies beyond the cut is left out."""
    shown = _cut(text, _MAX_TEXT_CHARS)
    limit = len(shown) if shown == text else _MAX_TEXT_CHARS - 1
    parts, done = [], 0
    for entity in sorted(entities, key=lambda one: one.start):
        if entity.start < done or entity.end > limit:
            continue
        parts.append(escape(shown[done : entity.start]))
        parts.append(
            f'<mark class="{escape(entity.source)}" title="{escape(readable(entity.label))}">'
            f"{escape(shown[entity.start : entity.end])}</mark>"
        )
        done = entity.end
    parts.append(escape(shown[done:]))
    return "".join(parts)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
