"""`triage market`: sentiment and mentions of own and competing brands and products."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.cli.market_topics import topics
from triage.cli.tables import aligned
from triage.clock import DAY_MS

if TYPE_CHECKING:
    from triage.assist.market.names import Market
    from triage.assist.market.report import MarketReport, Opinion
    from triage.config import Settings

app = typer.Typer(help="Brands and products: check their names, and report on the market.", no_args_is_help=True)
app.command()(topics)
FileArgument = Annotated[Path | None, typer.Argument(help="File of names [market.path]", show_default=False)]


@app.command()
def check(file: FileArgument = None, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Report every mistake in the market file, which lists brands and products."""
    market = _read(settings_from(config, assignments), file)
    own = sum(brand.own for brand in market.brands)
    typer.echo(
        f"valid: {own} own brands, {len(market.brands) - own} competitors, {len(market.products)} products", err=True
    )


@app.command()
def show(
    file: FileArgument = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help="Days up to --until [market.days]", show_default=False)
    ] = None,
    until: Annotated[str, typer.Option(help="End of the time: RFC 3339, or 12h, 3d ago")] = "now",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print brands with share of voice and rank, products by aspect, and competitors named in complaints.

    The competitors are those that negative records of own brands name. NET is the share of positive records minus that
    of negative ones, from -100 to 100, with its 95 % interval.
    """
    import msgspec

    from triage.assist.market.reading import read_market_report
    from triage.cli.times import moment_ms
    from triage.elastic.client import connect

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    market = _read(settings, file)
    end_ms = moment_ms(until, settings.clock.build().now_ms(), "--until")
    assert end_ms is not None
    start_ms = max(0, end_ms - (days or settings.market.days) * DAY_MS)
    with connect(settings.elasticsearch) as client:
        report = read_market_report(client, settings.elasticsearch, market, start_ms, end_ms)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    for line in _text(report):
        typer.echo(line)


def _read(settings: "Settings", file: Path | None) -> "Market":
    from triage.assist.market.names import read_market
    from triage.errors import ConfigError

    path = file or settings.market.path
    if path is None:
        raise ConfigError("no file of brands and products: name one, or set market.path (docs/market.md)")
    return read_market(path)


def _text(report: "MarketReport") -> list[str]:
    from triage.clock import rfc3339

    lines = [f"{rfc3339(report.start_ms)} to {rfc3339(report.end_ms)}: {report.voices} records speak of these brands"]
    rows = [["BRAND", "", "RECORDS", "VOICE", "RANK", "BEFORE", "NET", "95 %"]]
    rows += [
        [
            row.brand.name,
            "own" if row.brand.own else "",
            str(row.records),
            f"{row.share:.1%}",
            str(row.rank),
            "-" if row.rank_before is None else str(row.rank_before),
            *_opinion(row.opinion),
        ]
        for row in report.brands
    ]
    lines += ["", *aligned(rows)]
    if report.products:
        rows = [["PRODUCT", "RECORDS", "NET", "95 %", *(aspect.upper() for aspect in report.aspects)]]
        rows += [
            [
                row.product.name,
                str(row.records),
                *_opinion(row.opinion),
                *(_cell(row.aspects.get(aspect)) for aspect in report.aspects),
            ]
            for row in report.products
        ]
        lines += ["", *aligned(rows)]
    if report.lost_to:
        rows = [["LOST", "NAMES", "NEGATIVE"]]
        rows += [[each.brand.name, each.competitor.name, str(each.negative)] for each in report.lost_to]
        lines += ["", *aligned(rows)]
    if report.unlisted:
        names = ", ".join(f"{name} ({n})" for name, n in report.unlisted.items())
        lines += ["", f"not in the file: {names}"]
    return lines


def _opinion(opinion: "Opinion") -> list[str]:
    if opinion.net is None:
        return ["", ""]
    low, high = opinion.interval
    return [_points(opinion.net), f"{_points(low)} to {_points(high)}"]


def _points(share: float) -> str:
    points = round(100 * share)
    return f"{points:+d}" if points else "0"


def _cell(opinion: "Opinion | None") -> str:
    return "" if opinion is None or opinion.net is None else f"{_points(opinion.net)} ({opinion.n})"
