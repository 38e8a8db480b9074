"""Parts of the page *Now* as HTML text. Everything that comes from a record is escaped in this package's fragments."""

from html import escape
from urllib.parse import quote

from triage.clock import parse_rfc3339
from triage.console.data.snapshot import Snapshot
from triage.console.translations import Translations
from triage.console.web.highlighting import cut
from triage.console.web.rows import records_table
from triage.schemas.alert import Alert

TILES = ("records", "last_hour", "negative", "dead_letters", "open_alerts")


def status(snapshot: Snapshot, words: Translations) -> str:
    """The line in the header: live or not, and as of when."""
    stamp = words.when(snapshot.at_ms, 0)
    state = "stale" if snapshot.error else "live" if snapshot.known else "connecting"
    simulated = (
        f'<span class="chip" title="{words("status.simulated_title")}">{words("status.simulated")}</span>'
        if snapshot.simulated
        else ""
    )
    return (
        f'<span class="dot {state}" aria-hidden="true"></span><span class="state">{words(f"status.{state}")}</span>'
        f"<time>{escape(stamp)} UTC</time>{simulated}"
    )


def banner(error: str | None, words: Translations, *, known: bool) -> str:
    """What went wrong and what happens now; empty when all is well."""
    if error is None:
        return ""
    shown = words("error.last_read" if known else "error.none_read")
    return (
        f'<div class="banner" role="alert"><strong>{words("error.cannot_read")}</strong> '
        f"<span>{escape(error)}</span> <span>{shown} {words('error.tries_again')}</span></div>"
    )


def tiles(snapshot: Snapshot, words: Translations) -> str:
    """The figures on top."""
    if not snapshot.known:
        return _tiles([_tile(words(f"now.{name}"), "–", words("now.not_read")) for name in TILES])
    hour, all_time = snapshot.last_hour, snapshot.all_time
    firing, dead = len(snapshot.open_alerts), snapshot.dead_letters
    refused = "dead_unknown" if dead is None else "dead_some" if dead else "dead_none"
    overall = words.percent(all_time.negative_share)
    share = words.percent(hour.negative_share) if hour.total else overall
    note = words("now.share_hour", overall=overall) if hour.total else words("now.share_overall")
    attention = words("now.needs_attention" if firing else "now.all_quiet")
    return _tiles(
        [
            _tile(words("now.records"), words.number(all_time.total), words("now.since_first")),
            _tile(
                words("now.last_hour"),
                words.number(hour.total),
                words("now.last_minute", n=words.number(snapshot.last_minute)),
            ),
            _tile(words("now.negative"), share, note),
            _tile(words("now.dead_letters"), words.number(dead), words(f"now.{refused}"), href="fleet#dead-letters"),
            _tile(words("now.open_alerts"), words.number(firing), attention, "hot" if firing else "", "alerts"),
        ]
    )


def over_time_caption(snapshot: Snapshot, words: Translations) -> str:
    return "" if snapshot.empty else words("now.per_step", step=words.duration(snapshot.step_ms))


def legend(words: Translations) -> str:
    keys = "".join(
        f'<li><i class="{name}"></i>{words.term("sentiment", name)}</li>'
        for name in ("negative", "neutral", "positive")
    )
    return f'<ul class="legend" aria-hidden="true">{keys}</ul>'


def alerts(snapshot: Snapshot, words: Translations) -> str:
    """Open alerts first, then those that ended lately."""
    if not snapshot.known:
        return not_read(snapshot.error, words)
    if not snapshot.open_alerts and not snapshot.resolved_alerts:
        return empty(words("now.no_alerts"), words("now.no_alerts_advice"))
    cards = [alert_card(alert, snapshot.at_ms, words) for alert in [*snapshot.open_alerts, *snapshot.resolved_alerts]]
    return f'<ul class="alerts">{"".join(cards)}</ul>'


def records(snapshot: Snapshot, words: Translations) -> str:
    """A table of the latest records; on a phone its rows become cards."""
    if not snapshot.known:
        return not_read(snapshot.error, words)
    if not snapshot.latest:
        return empty(words("now.no_records"), words("now.no_records_advice"))
    return records_table(snapshot.latest, snapshot.at_ms, words)


def nothing_to_chart(snapshot: Snapshot, words: Translations) -> str:
    """What stands in the place of a chart; empty when there is something to draw."""
    if not snapshot.empty:
        return ""
    if not snapshot.known:
        return not_read(snapshot.error, words)
    return empty(words("now.nothing_to_draw"), words("now.nothing_to_draw_advice"))


def not_read(error: str | None, words: Translations) -> str:
    name = "nothing_read" if error else "reading"
    return empty(words(f"error.{name}"), words(f"error.{name}_advice"))


def empty(title: str, advice_html: str) -> str:
    return f'<div class="empty"><strong>{title}</strong><p>{advice_html}</p></div>'


def alert_card(alert: Alert, now_ms: int, words: Translations, root: str = "") -> str:
    """One alert in a list; `root` leads to the top of the site."""
    start = parse_rfc3339(alert.started_at)
    end = parse_rfc3339(alert.ended_at) if alert.ended_at else now_ms
    firing = alert.status == "firing"
    lasted = words("alert.for" if firing else "alert.lasted", duration=words.duration(end - start))
    since = words("alert.since", when=words.when(start, now_ms), lasted=lasted)
    observed = words(
        "alert.at_peak", n=f"<b>{words.number(alert.peak_negative)}</b>", window=words.duration(alert.window_s * 1000)
    )
    if alert.expected is not None:
        observed += words("alert.expected", n=words.quantity(alert.expected))
    if firing:
        observed += words("alert.now", n=words.number(alert.negative), total=words.number(alert.total))
    intents = "".join(
        f"<li>{escape(words.intent(share.value))} <b>{words.number(share.count)}</b></li>"
        for share in alert.top_intents[:3]
    )
    shares = f'<ul class="shares">{intents}</ul>' if intents else ""
    example = f"<blockquote>{escape(cut(alert.examples[0].text, 160))}</blockquote>" if alert.examples else ""
    return (
        f'<li class="alert {"firing" if firing else "resolved"}">'
        f'<div class="alert-head"><span class="pill {"critical" if firing else "resolved"}">'
        f"{escape(words.term('status', alert.status))}</span>"
        f'<span class="pill outline">{escape(words.term("alert_severity", alert.severity))}</span>'
        f'<span class="since"><time datetime="{escape(alert.started_at)}">{escape(since)}</time></span></div>'
        f'<h3><a href="{root}alerts/{quote(alert.dedup_key, safe="")}">{escape(alert.title)}</a></h3>'
        f'<p class="observed">{observed}</p>{shares}{example}</li>'
    )


def _tiles(shown: list[str]) -> str:
    return f'<dl class="tiles">{"".join(shown)}</dl>'


def _tile(name: str, value: str, note: str, kind: str = "", href: str = "") -> str:
    label = f'<a href="{href}">{name}</a>' if href else name
    return (
        f'<div class="tile {kind}"><dt>{label}</dt>'
        f'<dd class="value">{value}</dd><dd class="note">{escape(note)}</dd></div>'
    )
