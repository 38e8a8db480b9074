"""`triage market topics`: finds emerging topics of negative records, as a nightly job."""

from typing import Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from


def topics(
    until: Annotated[str, typer.Option(help="End of the seven days: RFC 3339, or 12h, 3d ago")] = "now",
    keep: Annotated[bool, typer.Option("--store/--no-store", help="Store the result for the page Market")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Find topics of negative records that no intent explains and that are new against the 28 days before.

    Run it every night: it needs the sentence encoder (`triage knowledge encoder build`) and at most 1 GB of memory, and
    stores its result for the console's page Market.
    """
    import resource

    import msgspec

    from triage.assist.encoder.manifest import FIX
    from triage.assist.encoder.onnx_encoder import open_encoder
    from triage.assist.topics.run import find_topics
    from triage.cli.progress import CountProgress
    from triage.cli.times import moment_ms
    from triage.clock import SystemClock
    from triage.elastic.client import connect
    from triage.elastic.topics import store_topics
    from triage.errors import ConfigError

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    encoder = open_encoder(settings)
    if encoder is None:
        raise ConfigError(f"emerging topics need the sentence encoder: {FIX}; assist.vectors must be true")
    end_ms = moment_ms(until, settings.clock.build().now_ms(), "--until")
    assert end_ms is not None
    with connect(settings.elasticsearch) as client, CountProgress("topics", SystemClock()) as bar:
        report = find_topics(client, settings.elasticsearch, settings.market, encoder, end_ms, bar.show)
        if keep:
            store_topics(client, settings.elasticsearch, report)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    typer.echo(
        f"{report.start} to {report.end}: {report.records:,} negative records without a clear intent "
        f"({report.sampled:,} compared), {report.records_before:,} in the 28 days before "
        f"({report.sampled_before:,} compared)"
    )
    for topic in report.topics:
        name = ", ".join(topic.words) or "(no common words)"
        typer.echo(f"{name}: {topic.records} records, {topic.before} before, {topic.lift:g} times as frequent")
        for example in topic.examples:
            typer.echo(f"  {example.record[:8]}  {example.text[:120]}")
    if not report.topics:
        typer.echo("no emerging topic")
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    typer.secho(f"at most {memory_mb:,.0f} MB of memory", err=True)
