"""`triage alerts judge`: marks an alert as right or false."""

from typing import Annotated

import typer

from triage.cli.alert_key import LatestOption, find_named
from triage.cli.alerts_act import ByOption, actor_name, open_writer
from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from


def judge(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[KEY] right|false|withdrawn", help="Dedup key, or its beginning, and the assessment"),
    ],
    latest: LatestOption = False,
    by: ByOption = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Reason; shown with the alert")] = "",
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Mark an alert as right or false; the last mark counts, and `withdrawn` removes it.

    `triage alerts rules` computes the precision of each rule from these marks.
    """
    from triage.alerting.lifecycle.assessments import VERDICTS
    from triage.errors import ConfigError

    *keys, said = words
    verdict = next((each for each in VERDICTS if each == said), None)
    if verdict is None:
        raise ConfigError(f"the assessment is {', '.join(VERDICTS[:-1])} or {VERDICTS[-1]}, not {said!r}")
    if len(keys) > 1:
        raise ConfigError("takes one KEY and one assessment, as: triage alerts judge KEY false")
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    alert = find_named(settings, keys[0] if keys else None, latest=latest)
    with open_writer(settings) as writer:
        action = writer.judge(alert.dedup_key, actor_name(by), verdict, note.strip())
    typer.echo(f"{verdict}\t{alert.dedup_key}\t{action.actor}\t{alert.title}")
