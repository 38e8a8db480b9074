"""`triage evaluate`: figures of a model on the test splits, through the code that serves it."""

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    model: Annotated[Path, typer.Option(help="Model folder, as onnx/NAME.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the packs; without it only own texts.")] = None,
    own: Annotated[
        Path | None, typer.Option(help="Your labelled texts, CSV or JSONL, instead of the project's.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="Field of --own that holds the text.")] = "text",
    intent_column: Annotated[str, typer.Option(help="Field of --own that holds the intent.")] = "intent",
    sentiment_column: Annotated[str, typer.Option(help="Field of --own that holds the sentiment.")] = "sentiment",
    taxonomy: Annotated[Path | None, typer.Option(help="Label set of the model [default: the one that ships].")] = None,
    sources: Annotated[Path | None, typer.Option(help="Your sources.yaml [default: the one that ships].")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many texts a pack.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Write metrics.json and CARD.md of the model folder.")] = False,
) -> None:
    """Macro-F1, macro-recall, accuracy, entity-F1 and calibration error, by head and pack."""
    from rich.console import Console
    from rich.progress import Progress

    from triage.logging import configure_logging
    from triage.training.card import write_card
    from triage.training.evaluate import evaluate_model
    from triage.training.files import write_json
    from triage.training.labels import load_taxonomy
    from triage.training.own import read_own
    from triage.training.sources import load_sources
    from triage.training.workflow import record

    configure_logging("WARNING")
    labels = load_taxonomy(taxonomy)
    columns = {"text_column": text_column, "intent_column": intent_column, "sentiment_column": sentiment_column}
    texts = {"own": read_own(own, labels, **columns)} if own else None
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def advance(pack: str, done: int, total: int) -> None:
            if pack not in tasks:
                tasks[pack] = progress.add_task(pack, total=total)
            progress.update(tasks[pack], completed=done)

        metrics = evaluate_model(
            model, data, sources_file=sources, taxonomy_file=taxonomy, own=texts, limit=limit, progress=advance
        )
    if output is not None:
        write_json(output, metrics)
    if card:
        record(model, lambda before: {**before, **metrics})
        write_card(model, load_sources(labels, sources))
    _print(metrics["packs"])


def _print(packs: dict[str, Any]) -> None:
    columns = ("macro_f1", "macro_recall", "accuracy", "f1", "ece")
    header = ["head", "pack", "texts", *columns]
    rows = [
        [head, pack, str(figures["texts"]), *(_cell(figures.get(column)) for column in columns)]
        for head in ("intent", "sentiment", "entities")
        for pack, heads in packs.items()
        if (figures := heads.get(head))
    ]
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    for row in [header, *rows]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
