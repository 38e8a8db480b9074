"""`triage parity`: does the exported model say what the trained one says?"""

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[Path, typer.Option(help="Folder of the run or checkpoint the model was exported from.")],
    model: Annotated[Path, typer.Option(help="Model folder, as onnx/NAME.")],
    data: Annotated[Path | None, typer.Option(help="Packs whose test texts to compare on.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="How many texts.")] = 2_000,
    least: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of equal labels to accept, of each head.")
    ] = 0.99,
) -> None:
    """Compare labels and probabilities with torch in fp32; exit 1 if fewer labels agree than --least."""
    from triage.training.loop.extras import require_training

    require_training("triage parity")
    from triage.logging import configure_logging
    from triage.training.release.workflow import check_parity

    configure_logging("WARNING")
    parity = check_parity(checkpoint, model, data, texts)
    typer.echo(json.dumps(parity.as_dict(), indent=2))
    worst = min(parity.intent_agreement, parity.sentiment_agreement, parity.entity_tag_agreement)
    if worst < least:
        typer.echo(f"only {worst:.2%} of the labels of a head agree, fewer than {least:.2%}", err=True)
        raise typer.Exit(1)
