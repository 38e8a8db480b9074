"""`triage alerts`: lists and shows alerts, and sends test notifications."""

from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli import alerts_act, alerts_backtest, alerts_judge, alerts_rules
from triage.cli.alert_key import KeyArgument, LatestOption, find_named
from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.config import Settings
    from triage.schemas.alert import Alert

app = typer.Typer(help="Alerts: list, show, act on them, assess; test rules and receivers.", no_args_is_help=True)
app.command("backtest")(alerts_backtest.command)
app.command("ack")(alerts_act.acknowledge)
app.command("unack")(alerts_act.unacknowledge)
app.command("snooze")(alerts_act.snooze)
app.command("assign")(alerts_act.assign)
app.command("comment")(alerts_act.comment)
app.command("resolve")(alerts_act.resolve)
app.command("judge")(alerts_judge.judge)
app.command("rules")(alerts_rules.rules)
app.command("budget")(alerts_rules.budget)
app.add_typer(alerts_act.silence_app, name="silence")

_COLUMNS = ("STARTED", "STATUS", "SEVERITY", "KEY", "TITLE", "NOTES")
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line")]


@app.command("list")
def list_(
    open_only: Annotated[bool, typer.Option("--open", help="Only alerts that are firing")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of alerts to print")] = 50,
    as_json: JsonOption = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print alerts, newest first: a header, then one line per alert with tab-separated columns."""
    import msgspec

    from triage.elastic.client import connect
    from triage.elastic.search import recent_alerts

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    client = connect(settings.elasticsearch)
    try:
        found = recent_alerts(client, settings.elasticsearch, limit, status="firing" if open_only else None)
    finally:
        client.close()
    if found and not as_json:
        typer.echo("\t".join(_COLUMNS))
    for alert in found:
        typer.echo(msgspec.json.encode(alert).decode() if as_json else _line(alert))
    if not as_json:
        _propose(settings)
    if not found:
        typer.echo("no alerts" + (" are firing" if open_only else ""), err=True)


@app.command()
def show(
    key: KeyArgument = None,
    latest: LatestOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="The stored document as JSON")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print one alert in readable form: events, state, users' actions, examples and links.

    Texts are in the language and time zone of notifications (alerting.language, alerting.time_zone).
    """
    import msgspec

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    alert = find_named(settings, key, latest=latest)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(alert), indent=2).decode())
    else:
        typer.echo(_text(alert, settings), nl=False)


@app.command("test")
def send_test(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Send a test notification and its resolve to every configured receiver; exit 1 if one fails."""
    import asyncio

    from triage.alerting.delivery.test_notification import send_test_notification

    settings = settings_from(config, assignments)
    results = asyncio.run(send_test_notification(settings, settings.clock.build()))
    failed = False
    for name, answers in results.items():
        problems = [f"{event}: {problem}" for event, problem in answers.items() if problem is not None]
        failed = failed or bool(problems)
        typer.echo(f"{name}\tfailed\t{problems[0]}" if problems else f"{name}\tok\t{', '.join(answers)}")
    if failed:
        raise typer.Exit(1)


def _propose(settings: "Settings") -> None:
    """Print what rules propose after false alerts, on standard error; nothing where the rule file cannot be read."""
    from triage.errors import ConfigError

    try:
        reports = alerts_rules.read_reports(settings)
    except ConfigError:
        return
    for report in reports:
        if found := alerts_rules.sentence(report):
            typer.echo(f"{report.rule.name}: {found}", err=True)


def _line(alert: "Alert") -> str:
    notes = [] if alert.paged else ["not paged"]
    if alert.acknowledged is not None:
        notes.append(f"acknowledged by {alert.acknowledged.by}")
    if alert.snoozed_until is not None:
        notes.append(f"snoozed until {alert.snoozed_until}")
    if alert.assessment is not None:
        notes.append(f"{alert.assessment.verdict}, says {alert.assessment.by}")
    if alert.status == "firing":
        notes += [f"refused: {refusal.error}" for refusal in alert.refusals]
    columns = (alert.started_at, alert.status, alert.severity, alert.dedup_key, alert.title, "; ".join(notes))
    return "\t".join(columns).rstrip("\t")


def _text(alert: "Alert", settings: "Settings") -> str:
    from triage.alerting.alert_facts import facts_of, history_of
    from triage.alerting.notifiers.base import Notification
    from triage.alerting.notifiers.content import compose
    from triage.alerting.notifiers.text import plain
    from triage.alerting.wording import wording_of
    from triage.translations import translations_for

    wording = wording_of(settings.alerting)
    translations = translations_for(settings.alerting.language, settings.alerting.time_zone)
    content = compose(Notification("firing" if alert.status == "firing" else "resolved", alert), wording)
    history = [
        f"  {translations.moment(past.at_ms)}  {past.text}" + (f": {past.comment}" if past.comment else "")
        for past in history_of(alert, translations)
    ]
    facts = [(translations(f"fact.{name}"), text) for name, text in facts_of(alert, translations).items() if text]
    facts.append((translations("fact.history"), "\n" + "\n".join(history)))
    return plain(content, wording, facts)
