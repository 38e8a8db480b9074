"""Parts of *Now* as HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from triage.console.alerts.fragments import alert_cards
from triage.console.data.snapshot import Snapshot
from triage.console.web.fragments import NOTHING, Tile, empty, not_read, tile_row
from triage.console.web.records_table import records_table
from triage.schemas.action import Silence
from triage.translations import Translations

_TILES = ("records", "last_hour", "negative", "dead_letters", "open_alerts")


def tiles(snapshot: Snapshot, translations: Translations, waiting: int = 0) -> Markup:
    """Render the key numbers at the top of the page *Now*; `waiting` is the number of records not yet processed."""
    if not snapshot.known:
        return tile_row([Tile(translations(f"now.{name}"), "–", translations("now.not_read")) for name in _TILES])
    hour, all_time = snapshot.last_hour, snapshot.all_time
    firing, dead = len(snapshot.open_alerts), snapshot.dead_letters
    dead_note = "dead_unknown" if dead is None else "dead_some" if dead else "dead_none"
    overall = translations.percent(all_time.negative_share)
    share = translations.percent(hour.negative_share) if hour.total else overall
    share_note = translations("now.share_hour", overall=overall) if hour.total else translations("now.share_overall")
    last_minute = translations("now.last_minute", n=snapshot.last_minute)
    if waiting:
        last_minute = translations("now.waiting", n=waiting)
    attention = translations("now.needs_attention" if firing else "now.all_quiet")
    return tile_row(
        [
            Tile(translations("now.records"), translations.number(all_time.total), translations("now.since_first")),
            Tile(translations("now.last_hour"), translations.number(hour.total), last_minute, hot=waiting > 0),
            Tile(translations("now.negative"), share, share_note),
            Tile(
                translations("now.dead_letters"),
                translations.number(dead),
                translations(f"now.{dead_note}"),
                href="fleet#dead-letters",
            ),
            Tile(
                translations("now.open_alerts"),
                translations.number(firing),
                attention,
                hot=firing > 0,
                href="alerts",
            ),
        ]
    )


def over_time_caption(snapshot: Snapshot, translations: Translations) -> str:
    return (
        ""
        if snapshot.empty
        else translations(
            "now.per_step", step=translations.duration(snapshot.step_ms), zone=translations.zone_name(snapshot.at_ms)
        )
    )


def alerts(snapshot: Snapshot, translations: Translations, silences: Sequence[Silence] = ()) -> Markup:
    """Render the firing alerts, then those that were resolved recently."""
    if not snapshot.known:
        return not_read(snapshot.error, translations)
    return alert_cards([*snapshot.open_alerts, *snapshot.resolved_alerts], snapshot.at_ms, translations, silences)


def records(snapshot: Snapshot, translations: Translations) -> Markup:
    """Render the latest records as a table."""
    if not snapshot.known:
        return not_read(snapshot.error, translations)
    if not snapshot.latest:
        return empty(translations("now.no_records"), translations.html("now.no_records_advice"))
    return records_table(snapshot.latest, snapshot.at_ms, translations)


def nothing_to_chart(snapshot: Snapshot, translations: Translations) -> Markup:
    """Render a note instead of a chart without data; empty if there is data."""
    if not snapshot.empty:
        return NOTHING
    if not snapshot.known:
        return not_read(snapshot.error, translations)
    return empty(translations("now.nothing_to_draw"), translations("now.nothing_to_draw_advice"))
