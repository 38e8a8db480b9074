"""`triage export`: writes a model folder from a checkpoint, or from a model in another precision."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """Format in which the weights are stored."""

    INT8 = "int8"
    FP16 = "fp16"
    FP32 = "fp32"


def command(
    output: Annotated[Path, typer.Option(help="Model folder to write, e.g. onnx/NAME")],
    checkpoint: Annotated[Path | None, typer.Option(help="Folder of a training run or checkpoint")] = None,
    model: Annotated[Path | None, typer.Option(help="Instead: a model folder to convert to another precision")] = None,
    form: Annotated[
        Form, typer.Option(help="int8: the shipped format; fp32: the reference; fp16: for CUDA")
    ] = Form.INT8,
    data: Annotated[Path | None, typer.Option(help="Folder of downloaded datasets, for the parity check")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the model [default: today's date and -1]")] = None,
    parity_texts: Annotated[int, typer.Option(min=1, help="Number of texts in the parity check")] = 2_000,
) -> None:
    """Write model.onnx, tokenizer and manifest; print name and version.

    From a checkpoint, the result is also compared with torch in fp32. From a model folder, torch is not needed; `triage
    model compare` compares the two. CUDA needs no fp16 export: the fp16 variant is created at the first start.
    """
    from triage.errors import ConfigError

    if (checkpoint is None) == (model is None):
        raise ConfigError("give either --checkpoint or --model")
    if model is not None:
        from triage.inference.precision_variants import write_variant

        if form is Form.INT8:
            raise ConfigError("--model is converted to fp16 or fp32: add --form; int8 is made from a --checkpoint")
        typer.echo(write_variant("fp16" if form is Form.FP16 else "fp32", model, output))
        return
    assert checkpoint is not None
    _from_checkpoint(checkpoint, output, form, data, version, parity_texts)


def _from_checkpoint(
    checkpoint: Path, output: Path, form: Form, data: Path | None, version: str | None, texts: int
) -> None:
    from triage.training.loop.environment import require_export

    require_export("triage export")
    from triage.clock import SystemClock
    from triage.logging import configure_logging
    from triage.training.release.workflow import check_parity, export_checkpoint, update_metrics

    configure_logging()
    today = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%Y.%m.%d")
    manifest = export_checkpoint(checkpoint, output, version or f"{today}-1", form.value)
    parity = check_parity(checkpoint, output, data, texts)
    update_metrics(output, lambda metrics: {**metrics, "parity": parity.as_dict()})
    typer.echo(f"{manifest['name']}@{manifest['version']}")
    typer.echo(
        f"same labels as torch fp32: intent {parity.intent_agreement:.2%}, sentiment {parity.sentiment_agreement:.2%}, "
        f"entity tags {parity.entity_tag_agreement:.2%}",
        err=True,
    )
