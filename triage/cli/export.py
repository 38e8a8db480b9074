"""`triage export`: a checkpoint to a model folder that serves."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[Path, typer.Option(help="Folder of a run, or of a checkpoint.")],
    output: Annotated[Path, typer.Option(help="Model folder to write, as onnx/NAME.")],
    data: Annotated[Path | None, typer.Option(help="Packs whose test texts the parity check runs on.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the model [default: today's date and -1].")] = None,
    parity_texts: Annotated[int, typer.Option(min=1, help="Texts of the parity check.")] = 2_000,
) -> None:
    """Write model.onnx (int8 weights), tokenizer and manifest; compare with torch in fp32; print name and version."""
    from triage.training.extras import require_export

    require_export("triage export")
    from triage.clock import SystemClock
    from triage.logging import configure_logging
    from triage.training.workflow import check_parity, export_checkpoint, record

    configure_logging()
    today = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%Y.%m.%d")
    manifest = export_checkpoint(checkpoint, output, version or f"{today}-1")
    parity = check_parity(checkpoint, output, data, parity_texts)
    record(output, lambda metrics: {**metrics, "parity": parity.as_dict()})
    typer.echo(f"{manifest['name']}@{manifest['version']}")
    typer.echo(
        f"same labels as torch fp32: intent {parity.intent_agreement:.2%}, sentiment {parity.sentiment_agreement:.2%}, "
        f"entity tags {parity.entity_tag_agreement:.2%}",
        err=True,
    )
