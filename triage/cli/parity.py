"""`triage parity`: compares an exported model with the trained one."""

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[
        Path, typer.Option(help="Folder of the training run or checkpoint that the model was exported from")
    ],
    model: Annotated[Path, typer.Option(help="Model folder, e.g. onnx/NAME")],
    data: Annotated[Path | None, typer.Option(help="Folder of downloaded datasets whose test texts are used")] = None,
    texts: Annotated[int, typer.Option(min=1, help="Number of texts")] = 2_000,
    least: Annotated[float, typer.Option(min=0.0, max=1.0, help="Least share of equal labels per head")] = 0.99,
) -> None:
    """Compare labels and probabilities with torch in fp32; exit 1 if the share of equal labels is below --least."""
    from triage.training.loop.environment import require_training

    require_training("triage parity")
    from triage.logging import configure_logging
    from triage.training.release.workflow import check_parity

    configure_logging("WARNING")
    parity = check_parity(checkpoint, model, data, texts)
    typer.echo(json.dumps(parity.as_dict(), indent=2))
    lowest = min(parity.intent_agreement, parity.sentiment_agreement, parity.entity_tag_agreement)
    if lowest < least:
        typer.echo(f"only {lowest:.2%} of the labels of a head agree, less than {least:.2%}", err=True)
        raise typer.Exit(1)
