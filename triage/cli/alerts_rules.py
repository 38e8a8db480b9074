"""`triage alerts rules` and `budget`: each alert rule's budget of false alerts, its use, and the rule's precision."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.alerting.precision.report import RuleKeys, RuleReport
    from triage.config import Settings

DaysOption = Annotated[int, typer.Option(min=1, max=365, help="Count the alerts of this many days")]
_CANNOT = {
    "no_keys": "it has seen no records",
    "learning": "all of its keys are learning",
    "too_few": "none of its keys has enough records now",
}


def budget(
    days: DaysOption = 30,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print each rule's budget of false alerts, the number that it allows in 30 days, and the number used.

    Used are the alerts that users assessed as false; the others were right or are not assessed yet.
    """
    for report in read_reports(settings_from(config, assignments, elasticsearch__url=elasticsearch), days):
        typer.echo(f"{report.rule.name}\t{_allowed(report)}\t{_spent(report)}")


def rules(
    days: DaysOption = 30,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line")] = False,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print each rule's budget, its current keys, its precision over 90 days, and a proposed change, if any.

    If a rule could not have fired, the reason is shown. The numbers of keys come from running alerters
    (alerting.health_port).
    """
    import orjson

    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    keys = _keys(settings)
    for report in read_reports(settings, days, keys):
        if as_json:
            typer.echo(orjson.dumps(_json(report)).decode())
            continue
        typer.echo(report.rule.name)
        for line in (f"{_allowed(report)}; {_spent(report)}", _precision(report), _state(report), sentence(report)):
            if line:
                typer.echo(f"  {line}")
    if keys is None:
        typer.echo("no alerter answers, so the numbers of keys are not known: set alerting.health_port", err=True)


def sentence(report: "RuleReport") -> str:
    """Return the proposal to make a rule stricter after three false alerts in a row, as a sentence; "" without one."""
    from triage.clock import rfc3339

    found = report.proposal
    if found is None:
        return ""
    return (
        f"the last three assessed alerts, from {rfc3339(found.first_ms)[:10]} to {rfc3339(found.last_ms)[:10]}, were "
        f"false: for fewer, write {found.instead} in rule {report.rule.name} (now {found.now})"
    )


def read_reports(settings: "Settings", days: int = 30, keys: "dict[str, RuleKeys] | None" = None) -> "list[RuleReport]":
    """Read rules and alerts, and report on each rule over the last `days` days.

    Raises ConfigError for invalid rules, Unavailable, AccessDenied or DependencyError if Elasticsearch cannot be read.
    """
    from triage.alerting.precision.report import PRECISION_DAYS, rule_reports
    from triage.alerting.rules.loader import load_alert_rules
    from triage.clock import DAY_MS
    from triage.elastic.alert_counts import MOST, past_alerts
    from triage.elastic.client import connect

    now_ms = settings.clock.build().now_ms()
    found = load_alert_rules(settings.alerting)
    client = connect(settings.elasticsearch)
    try:
        past = past_alerts(client, settings.elasticsearch, now_ms - max(days, PRECISION_DAYS) * DAY_MS)
    finally:
        client.close()
    if not past.complete:
        typer.echo(f"only the newest {MOST:,} alerts were counted", err=True)
    return rule_reports(found, past.alerts, now_ms, keys, days)


def _keys(settings: "Settings") -> "dict[str, RuleKeys] | None":
    """Numbers of keys of each rule from running alerters; None if none answers."""
    from triage.alerting.precision.report import keys_of
    from triage.errors import TriageError
    from triage.fleet import FleetMonitor

    monitor = FleetMonitor(settings)
    try:
        return keys_of(monitor.look().rules)
    except TriageError as error:
        typer.echo(str(error), err=True)
        return None
    finally:
        monitor.close()


def _allowed(report: "RuleReport") -> str:
    spike = report.rule.spike or report.rule.silence
    if spike is None:
        return "no spike detector, so no budget"
    budget = report.rule.budget
    if budget is None:
        return f"no budget: fixed score {getattr(spike, 'z_count', 0):g}"
    each = budget.each_key
    allowed = report.per_key if each else report.allowed
    return f"{spike.false_alerts}: {allowed:.3g} false ones in {report.days} days" + (" for each key" if each else "")


def _spent(report: "RuleReport") -> str:
    return f"{report.alerts} alerts in {report.days} days, {report.paged} paged: {report.false} false, " + (
        f"{report.right} right, {report.alerts - report.false - report.right} not assessed"
    )


def _precision(report: "RuleReport") -> str:
    found = report.precision
    if found.share is None:
        return "precision over 90 days: not known, no alert was assessed (triage alerts judge)"
    return (
        f"precision over 90 days: {found.share:.0%} ({found.right} of {found.n} right; "
        f"95 % interval {found.low:.0%} to {found.high:.0%})"
    )


def _state(report: "RuleReport") -> str:
    keys = report.keys
    if keys is None:
        return ""
    text = f"{keys.watched:,} keys watched: {keys.learning:,} learning, {keys.too_few:,} with too few records"
    if keys.others:
        text += f"; {keys.others:,} more counted together (alerting.top_keys)"
    if report.per_key is not None:
        text += f"; {report.per_key:.3g} false alerts allowed for each in {report.days} days"
    return text + (f". It could not have fired: {_CANNOT[report.cannot_fire]}" if report.cannot_fire else "")


def _json(report: "RuleReport") -> dict[str, Any]:
    found, keys, proposal = report.precision, report.keys, report.proposal
    detector = report.rule.spike or report.rule.silence
    return {
        "rule": report.rule.name,
        "days": report.days,
        "budget": None if detector is None or report.rule.budget is None else detector.false_alerts,
        "allowed": report.allowed,
        "allowed_per_key": report.per_key,
        "alerts": report.alerts,
        "paged": report.paged,
        "false": report.false,
        "right": report.right,
        "precision": {"share": found.share, "n": found.n, "low": found.low, "high": found.high},
        "keys": None
        if keys is None
        else {name: getattr(keys, name) for name in ("watched", "learning", "too_few", "others")},
        "cannot_fire": report.cannot_fire,
        "proposal": None if proposal is None else {"now": proposal.now, "instead": proposal.instead},
    }
