"""`triage guide`: checks, plans and applies a catalogue, and advises from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.assist.guide.catalogue import Catalogue
    from triage.assist.guide.model import Advice
    from triage.assist.guide.plan import CataloguePlan
    from triage.assist.guide.words import GuideWords
    from triage.config import Settings

app = typer.Typer(help="Product guide: check, plan and apply a catalogue, and ask.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(metavar="CATALOGUE", help="CSV or JSON lines, one item a row")]
WordsOption = Annotated[
    Path | None, typer.Option("--words", metavar="FILE", help="Words of the guide [guide.words]", show_default=False)
]
IndexOption = Annotated[
    str | None, typer.Option("--index", metavar="NAME", help="Index [default: elasticsearch.catalogue_index]")
]
OrdersOption = Annotated[
    Path | None,
    typer.Option("--orders", metavar="FILE", help="CSV of order, item: numbers of orders with two items together"),
]
_MOST_SHOWN = 20
_MOST_PROBLEMS = 200


@app.command()
def check(
    file: FileArgument, words: WordsOption = None, config: ConfigOption = None, assignments: SetOption = None
) -> None:
    """Report every mistake of a catalogue with line and field; nothing is sent. Exit 1 if there are any."""
    found = _read(_words(settings_from(config, assignments), words), file)
    if found.problems:
        raise typer.Exit(1)


@app.command()
def plan(
    file: FileArgument,
    words: WordsOption = None,
    index: IndexOption = None,
    orders: OrdersOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Show what `apply` would create, update and delete in the index. Exit 1 if an item is refused."""
    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.guide.plan import plan_catalogue, read_orders
    from triage.elastic.catalogue import read_catalogue_documents
    from triage.elastic.client import connect

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    found = _read(_words(settings, words), file)
    encoder = usable_encoder(settings)
    with connect(settings.elasticsearch) as client:
        stored = read_catalogue_documents(client, index or settings.elasticsearch.catalogue())
    indexed = {each.item: each for each in stored}
    bought = read_orders(orders) if orders else None
    _show(plan_catalogue(found, indexed, encoder.version if encoder else None, bought))
    if found.problems:
        raise typer.Exit(1)


@app.command()
def apply(
    file: FileArgument,
    words: WordsOption = None,
    index: IndexOption = None,
    orders: OrdersOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Do nothing, exit 1, if an item is refused")] = False,
    delete_many: Annotated[
        bool, typer.Option("--delete-many", help="Also if most of the indexed items are not in this catalogue")
    ] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Bring the index up to a catalogue: what is new, changed and deleted.

    A refused item is named and keeps its indexed version. Interrupted, another run continues. Items get vectors if the
    sentence encoder is built (`triage knowledge encoder build`).
    """
    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.guide.plan import apply_catalogue, plan_catalogue, read_orders
    from triage.cli.progress import CountProgress
    from triage.clock import SystemClock
    from triage.elastic.catalogue import ensure_catalogue, read_catalogue_documents
    from triage.elastic.client import connect

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    name = index or settings.elasticsearch.catalogue()
    found = _read(_words(settings, words), file)
    if strict and found.problems:
        raise typer.Exit(1)
    bought = read_orders(orders) if orders else None
    encoder, clock = usable_encoder(settings), SystemClock()
    with connect(settings.elasticsearch) as client, CountProgress("catalogue", clock) as bar:
        ensure_catalogue(client, name)
        indexed = {each.item: each for each in read_catalogue_documents(client, name)}
        planned = plan_catalogue(found, indexed, encoder.version if encoder else None, bought)
        if not delete_many:
            planned.require_few_deletions(len(indexed))
        deleted = apply_catalogue(client, name, planned, found, indexed, encoder, clock, bought, bar.show)
    typer.echo(
        f"{name}: {len(planned.create):,} created, {len(planned.update):,} updated, {deleted:,} deleted, "
        f"{planned.unchanged:,} unchanged"
    )
    if encoder is None:
        warning = "without vectors: items are ranked by words alone (triage knowledge encoder build, then apply again)"
        typer.secho(warning, fg="yellow", err=True)


@app.command()
def ask(
    text: Annotated[
        str | None, typer.Argument(help="What a customer wants; without it each line of standard input is a turn")
    ] = None,
    language: Annotated[str | None, typer.Option(help="en or zh [default: that of the words]")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=20, help="Items of the result")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="The object that POST /v1/guide returns")] = False,
    words: WordsOption = None,
    index: IndexOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Recommend items of the indexed catalogue: the wishes understood, items with what reviews say, the next question.

    Where nothing fits, it names the wish to drop. Exit 1 if nothing fits the last turn.
    """
    import sys

    import msgspec

    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.guide.assemble import build_adviser
    from triage.assist.guide.model import GuideRequest, GuideState
    from triage.elastic.client import connect

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch, guide__words=words)
    _words(settings, None)
    state: GuideState | None = None
    fits = 0
    with connect(settings.elasticsearch) as client:
        adviser = build_adviser(settings, client, settings.clock.build(), usable_encoder(settings), index=index)
        assert adviser is not None
        for line in [text] if text is not None else sys.stdin:
            if not line.strip():
                continue
            advice = adviser.advise(GuideRequest(text=line.strip(), language=language, k=k, state=state))
            state, fits = advice.state, advice.fits
            typer.echo(msgspec.json.encode(advice).decode() if as_json else "\n".join(_text(advice)))
            sys.stdout.flush()
    if not fits:
        raise typer.Exit(1)


def _words(settings: "Settings", file: Path | None) -> "GuideWords":
    from triage.assist.guide.assemble import words_of
    from triage.assist.guide.words import read_words

    return read_words(file) if file is not None else words_of(settings)


def _read(words: "GuideWords", file: Path) -> "Catalogue":
    from triage.assist.guide.catalogue import read_catalogue

    found = read_catalogue(file, words)
    for problem in sorted(found.problems)[:_MOST_PROBLEMS]:
        typer.secho(f"{file.name}: {problem}", fg="red", err=True)
    if (more := len(found.problems) - _MOST_PROBLEMS) > 0:
        typer.secho(f"and {more:,} more problems", fg="red", err=True)
    refused = len({each.line for each in found.problems})
    typer.secho(f"{len(found.items):,} items, {refused:,} refused", fg="red" if refused else None, err=True)
    return found


def _show(planned: "CataloguePlan") -> None:
    for sign, verb, names in (
        ("+", "create", planned.create),
        ("~", "update", planned.update),
        ("-", "delete", planned.delete),
        ("=", "keep, refused now", planned.kept),
    ):
        for name in names[:_MOST_SHOWN]:
            typer.echo(f"{sign} {verb} {name}")
        if len(names) > _MOST_SHOWN:
            typer.echo(f"{sign} {verb} {len(names) - _MOST_SHOWN:,} more")
    typer.echo(f"{planned.unchanged:,} unchanged" + ("" if planned else "; nothing to do"))


def _text(advice: "Advice") -> list[str]:
    signs = {"is": "=", "is_not": "≠", "at_least": "≥", "at_most": "≤"}
    wishes = [
        f"{each.name} {signs[each.op]} "
        + (", ".join(each.values) if each.number is None else f"{each.number:g} {each.unit}".rstrip())
        for each in advice.constraints
    ]
    lines = [f"{advice.fits} fit: {'; '.join(wishes) or 'no wish understood'}"]
    for number, each in enumerate(advice.results, 1):
        prices = ", ".join(f"{price:g} {currency}" for currency, price in each.prices.items())
        lines.append(f"{number}. {each.name} [{each.passage}] {prices}")
        if each.reviews is not None:
            lines.append(f"   reviews: {each.reviews.praising} praise, {each.reviews.blaming} blame an aspect")
            lines += [f"   + {span.aspect}: {span.text} [{span.record[:8]}]" for span in each.reviews.speaking_for]
            lines += [f"   - {span.aspect}: {span.text} [{span.record[:8]}]" for span in each.reviews.against]
    if advice.ask is not None:
        options = ", ".join(f"{each.label} ({each.items})" for each in advice.ask.options)
        lines.append(f"? {advice.ask.text} {options}")
    lines += [f"without {' and '.join(repr(wish) for wish in each.wishes)}: {each.fits} fit" for each in advice.drop]
    if advice.why_degraded:
        lines.append(f"ranked by words alone: {advice.why_degraded}")
    if advice.why_incomplete:
        lines.append(f"incomplete: {advice.why_incomplete}")
    return lines
