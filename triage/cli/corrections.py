"""`triage corrections`: prints users' corrections of labels, for training elsewhere."""

from typing import Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.cli.times import HELP, moment_ms


def command(
    since: Annotated[str | None, typer.Option(metavar="TIME", help=f"Made since this time; {HELP}")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Made before this time")] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only corrections that differ from the model's labels")
    ] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print the corrections that users made, one JSON object per line, the oldest first.

    Texts are redacted, as in the index. `triage train --with-corrections` reads such a file, or `index`.
    """
    import msgspec

    from triage.elastic.client import connect, wait_until_ready
    from triage.elastic.corrections import corrections

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    clock = settings.clock.build()
    bounds = [moment_ms(text, clock.now_ms(), flag) for text, flag in ((since, "--since"), (until, "--until"))]
    shown = total = 0
    with connect(settings.elasticsearch) as client:
        wait_until_ready(client, settings.elasticsearch, clock)
        for each in corrections(client, settings.elasticsearch, *bounds):
            total += 1
            if each.changed or not changed:
                shown += 1
                typer.echo(msgspec.json.encode(each).decode())
    typer.echo(f"{shown:,} of {total:,} corrections" if changed else f"{total:,} corrections", err=True)
