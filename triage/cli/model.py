"""`triage model`: which models are there, and their cards."""

import json
from typing import Annotated, Any

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

app = typer.Typer(help="List the models and show their cards.", no_args_is_help=True)


@app.command(name="list")
def list_(
    config: ConfigOption = None,
    assignments: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """The models in onnx/, and which one serves (marked *); a damaged one is listed with what is wrong."""
    from triage.inference.catalog import list_entries

    entries = list_entries(settings_from(config, assignments).model)
    if as_json:
        for entry in entries:
            typer.echo(json.dumps(entry, ensure_ascii=False))
        return
    columns = ("name", "version", "taxonomy", "languages", "intents", "encoder", "mib", "folder", "problem")
    rows = [[_cell(entry, column) for column in columns] for entry in entries]
    header = ["", *(column.upper() for column in columns)]
    table = [header, *(["*" if entry["serves"] else "", *row] for entry, row in zip(entries, rows, strict=True))]
    widths = [max(len(row[index]) for row in table) for index in range(len(header))]
    for row in table:
        shown = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width or cell)
        typer.echo("  ".join(shown).rstrip())


@app.command()
def card(
    name: Annotated[str | None, typer.Argument(help="Model in onnx/ [default: the one that serves]")] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print the card of a model: data, licences, figures, how to reproduce."""
    from triage.inference.catalog import folder_of, read_card

    typer.echo(read_card(folder_of(settings_from(config, assignments).model, name)).rstrip("\n"))


def _cell(entry: dict[str, Any], column: str) -> str:
    value = entry.get(column, "")
    return ",".join(value) if isinstance(value, list) else str(value)
