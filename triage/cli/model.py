"""`triage model`: lists, verifies, promotes, rolls back and compares models, and prints their cards."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.common import ColumnOption, ConfigOption, SetOption, columns_from, settings_from
from triage.cli.complete import models
from triage.cli.tables import aligned

if TYPE_CHECKING:
    from triage.inference.compare import Result
    from triage.inference.promotion import Switched

app = typer.Typer(help="List models, show cards, choose the serving model, compare two.", no_args_is_help=True)
ForceOption = Annotated[
    bool, typer.Option("--force", help="Even if rules use labels that the model lacks, or it loses on test sets")
]
_COLUMNS = ("name", "version", "taxonomy", "languages", "intents", "encoder", "form", "mib")


@app.command(name="list")
def list_(
    config: ConfigOption = None,
    assignments: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line")] = False,
) -> None:
    """List the models in the registry: * is serving, - is the target of rollback; a damaged model shows its problem.

    INTENT is the mean macro-F1 over the model's own test sets, SENTIMENT the mean macro-recall, ENTITIES the mean F1.
    """
    from triage.inference.catalog import LIST_METRICS, list_entries

    entries = list_entries(settings_from(config, assignments).model)
    if as_json:
        for entry in entries:
            typer.echo(json.dumps(entry, ensure_ascii=False))
        return
    header = ["", *(column.upper() for column in (*_COLUMNS, *LIST_METRICS, "folder", "problem"))]
    table = [header]
    for entry in entries:
        metrics = entry.get("figures", {})
        table.append(
            [
                "*" if entry["serves"] else "-" if entry["previous"] else "",
                *(_cell(entry.get(column, "")) for column in _COLUMNS),
                *(f"{metrics[head]:.1%}" if head in metrics else "" for head in LIST_METRICS),
                entry["folder"],
                entry.get("problem", ""),
            ]
        )
    for line in aligned(table):
        typer.echo(line)


@app.command()
def card(
    name: Annotated[
        str | None, typer.Argument(autocompletion=models, help="Model in the registry [default: the serving one]")
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print the model card: data, licences, metrics, commands to reproduce it."""
    from triage.inference.catalog import model_folder, read_card

    typer.echo(read_card(model_folder(settings_from(config, assignments).model, name)).rstrip("\n"))


@app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(
            autocompletion=models, help="Model in the registry, or a model folder [default: the serving one]"
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the files as they are now into the manifest: check them before")
    ] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Compare every file of a model folder with its manifest, as each load and promotion does.

    Exits with status 2 if a file differs, is missing or is not listed.
    """
    from triage.inference.catalog import model_folder
    from triage.inference.manifest import read_manifest
    from triage.inference.model_files import update_manifest, verify_files

    settings = settings_from(config, assignments)
    folder = Path(name) if name is not None and Path(name).is_dir() else model_folder(settings.model, name)
    if update:
        update_manifest(folder)
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    for file, digest in sorted(manifest.files.items()):
        typer.echo(f"{digest.sha256}  {file}")
    typer.echo(f"{folder}: {manifest.label}, all {len(manifest.files)} files are as in the manifest", err=True)


@app.command()
def promote(
    name: Annotated[str, typer.Argument(autocompletion=models, help="Folder of the model in the registry")],
    force: ForceOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Make a model the serving one: check its files, run it on a few texts, then switch CURRENT atomically.

    A model that loses more than a point against the serving one on a test set of their metrics.json is refused.

    Running workers load it within worker.reload_poll_s, or on SIGHUP, without losing a record.
    """
    from triage.inference.promotion import promote as switch

    settings = settings_from(config, assignments)
    _print_switch(switch(settings, name, settings.clock.build(), force=force))


@app.command()
def rollback(force: ForceOption = False, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Return to the model that served before the last promotion; repeat to go back further."""
    from triage.inference.promotion import rollback as switch

    settings = settings_from(config, assignments)
    _print_switch(switch(settings, settings.clock.build(), force=force))


@app.command()
def compare(
    model_a: Annotated[
        str, typer.Argument(metavar="A", autocompletion=models, help="Model in the registry, or a model folder")
    ],
    model_b: Annotated[
        str, typer.Argument(metavar="B", autocompletion=models, help="Model in the registry, or a model folder")
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSONL with texts; - is standard input")],
    max_differences: Annotated[int, typer.Option("--show", min=0, help="Number of largest differences to list")] = 10,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of texts to read")] = 10_000,
    column: ColumnOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Compare two models on the texts of a file: agreement by head, and the largest differences."""
    import msgspec

    from triage.errors import ConfigError
    from triage.inference.catalog import model_folder
    from triage.inference.compare import compare_models
    from triage.inference.model import OnnxModel
    from triage.redaction import Redactor

    settings = settings_from(config, assignments)
    folders = [Path(name) if Path(name).is_dir() else model_folder(settings.model, name) for name in (model_a, model_b)]
    left, right = (OnnxModel.load(settings.model.model_copy(update={"path": folder})) for folder in folders)
    redactor = Redactor(settings.redaction)
    texts = (redactor.redact_text(text) for text in islice(_texts(file, columns_from(column)), limit))
    result = compare_models(left, right, texts, max_differences)
    if result is None:
        raise ConfigError("contains no text to compare on", where=file)
    if as_json:
        typer.echo(msgspec.json.encode(result).decode())
        return
    _print_comparison(result)


def _texts(file: str, columns: dict[str, str]) -> Iterator[str]:
    from triage.sources.files import read_rows

    for row in read_rows(file, columns=columns):
        if row.record is None:
            typer.echo(f"{row.source}:{row.line}: {row.error}", err=True)
        else:
            yield row.record.text


def _print_comparison(result: "Result") -> None:
    typer.echo(f"{result.texts} texts, {result.one} against {result.other}")
    table = [["", "SAME", "MEAN DIFFERENCE", "MOST FREQUENT CHANGES"]]
    for head in result.heads:
        changes = ", ".join(f"{change.one} > {change.other} {change.texts}" for change in head.changes[:4])
        mean = "" if head.mean_difference is None else f"{head.mean_difference:.4f}"
        table.append([head.head, f"{head.agreement:.2%}", mean, changes])
    for line in aligned(table):
        typer.echo(line)
    for difference in result.largest:
        typer.echo(f"\n{difference.text}\n  {result.one}: {difference.one}\n  {result.other}: {difference.other}")


def _print_switch(switched: "Switched") -> None:
    for warning in switched.warnings:
        typer.secho(f"warning: {warning}", fg="yellow", err=True)
    typer.echo(switched.version)
    if switched.change is None:
        typer.echo("already serving; nothing was changed", err=True)
    else:
        before = switched.change.previous or "nothing"
        typer.echo(f"now serving instead of {before}; running workers will load it", err=True)


def _cell(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
