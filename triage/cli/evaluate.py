"""`triage evaluate`: measures a model on every test set, with the code that serves it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.training.evaluation.tables import TextTable

_WIDE = 200


def command(
    model: Annotated[
        Path | None, typer.Option(help="Model folder, e.g. onnx/NAME [default: the serving model]")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of downloaded datasets: also tests on those that may not be in the repository (docs/data.md)"
        ),
    ] = None,
    own: Annotated[
        Path | None, typer.Option(help="Your labelled texts, CSV or JSONL, instead of the project's test sets")
    ] = None,
    text_column: Annotated[str, typer.Option(help="Field of --own that holds the text")] = "text",
    intent_column: Annotated[str, typer.Option(help="Field of --own that holds the intent")] = "intent",
    sentiment_column: Annotated[str, typer.Option(help="Field of --own that holds the sentiment")] = "sentiment",
    taxonomy: Annotated[Path | None, typer.Option(help="Label set of the model [default: the shipped one]")] = None,
    sources: Annotated[Path | None, typer.Option(help="Your sources.yaml [default: the shipped one]")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="SET", help="Only this test set; may be repeated")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of texts per test set")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, openvino or auto [model.device]")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="Threads of the model; 0: one per core [model.threads]")] = 0,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a report with tables and plots to this folder")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the metrics here, as JSON")] = None,
    card: Annotated[bool, typer.Option("--card", help="Update metrics.json and CARD.md in the model folder")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Measure the model by test set and head: F1, recall, accuracy, calibration, robustness, out-of-scope texts.

    Without options: the serving model on the test texts in the repository.
    """
    from rich.console import Console
    from rich.progress import Progress

    from triage.inference.registry import find_folder
    from triage.logging import configure_logging
    from triage.training.data.custom import read_custom_data
    from triage.training.data.files import write_json
    from triage.training.data.labels import load_taxonomy
    from triage.training.data.training_sets import load_training_sets
    from triage.training.evaluation.evaluate import evaluate_model
    from triage.training.evaluation.report import has_matplotlib, write_report
    from triage.training.evaluation.tables import tables
    from triage.training.release.card import write_card
    from triage.training.release.workflow import update_metrics

    flags = {"model__path": model, "model__device": device, "model__threads": threads}
    settings = settings_from(config, assignments, **flags).model
    configure_logging("WARNING")
    labels = load_taxonomy(taxonomy)
    columns = {"text_column": text_column, "intent_column": intent_column, "sentiment_column": sentiment_column}
    texts = {"own": read_custom_data(own, labels, **columns)} if own else None
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def advance(pack: str, done: int, total: int) -> None:
            if pack not in tasks:
                tasks[pack] = progress.add_task(pack, total=total)
            progress.update(tasks[pack], completed=done)

        metrics = evaluate_model(
            settings,
            data,
            sources_file=sources,
            taxonomy_file=taxonomy,
            custom=texts,
            only=only or (),
            limit=limit,
            progress=advance,
        )
    if report is not None:
        if not has_matplotlib():
            console.print("no plots: matplotlib is not installed (pip install 'triage-feedback[plots]')", markup=False)
        write_report(report, metrics)
    details = metrics.pop("details")
    if output is not None:
        write_json(output, {**metrics, "details": details})
    if card:
        folder = find_folder(settings)
        update_metrics(folder, lambda before: {**before, **metrics})
        write_card(folder, load_training_sets(labels, sources))
    for table in tables(metrics):
        _print(table)


def _print(table: "TextTable") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(width=_WIDE)
    shown = Table(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(table.columns):
        shown.add_column(column, justify="left" if place < table.names else "right")
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
