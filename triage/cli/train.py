"""`triage train`: one encoder, three heads, from packs and an owner's own texts."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    base: Annotated[str, typer.Option(help="Pretrained encoder (BertModel): a folder, or a name on the hub.")],
    output: Annotated[Path, typer.Option(help="Folder of the run; its `best` checkpoint is what `export` takes.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the packs that sources.yaml names; without it only own texts.")
    ] = None,
    layers: Annotated[int | None, typer.Option(help="Keep the first N layers of the encoder [default: all].")] = None,
    own: Annotated[Path | None, typer.Option(help="Your labelled texts, CSV or JSONL.")] = None,
    text_column: Annotated[str, typer.Option(help="Field of --own that holds the text.")] = "text",
    intent_column: Annotated[str, typer.Option(help="Field of --own that holds the intent.")] = "intent",
    sentiment_column: Annotated[str, typer.Option(help="Field of --own that holds the sentiment.")] = "sentiment",
    project_texts: Annotated[
        bool, typer.Option("--project-texts/--no-project-texts", help="Train on the texts that ship with triage too.")
    ] = True,
    taxonomy: Annotated[Path | None, typer.Option(help="Your label set [default: the one that ships].")] = None,
    sources: Annotated[Path | None, typer.Option(help="Your sources.yaml [default: the one that ships].")] = None,
    epochs: Annotated[float, typer.Option(min=0.001, help="Passes over the (capped) data.")] = 2.0,
    max_minutes: Annotated[
        float | None, typer.Option(min=0.1, help="End by then, with the learning rate decayed to zero.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of sampling, order and dropout.")] = 1,
    learning_rate: Annotated[float, typer.Option(help="Peak, of the encoder.")] = 8e-5,
    head_learning_rate: Annotated[float, typer.Option(help="Peak, of the heads.")] = 5e-4,
    warmup_steps: Annotated[int, typer.Option(min=0, help="Steps until the learning rates reach their peak.")] = 100,
    token_budget: Annotated[int, typer.Option(min=64, help="Tokens of a batch, padding included.")] = 2_048,
    max_tokens: Annotated[int, typer.Option(min=8, max=512, help="Longer texts are cut in training.")] = 128,
    bf16: Annotated[bool, typer.Option("--bf16/--fp32", help="Autocast; twice as fast where the CPU has bf16.")] = True,
    threads: Annotated[int | None, typer.Option(min=1, help="Of torch [default: its own choice].")] = None,
    checkpoint_minutes: Annotated[float, typer.Option(help="How often to save what --resume needs.")] = 5.0,
    validate_minutes: Annotated[float, typer.Option(help="How often to validate (and keep the best).")] = 10.0,
    start_from: Annotated[
        Path | None, typer.Option(help="Take the weights of this run or checkpoint: a second stage on another mix.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --output.")] = False,
) -> None:
    """Train a model into --output: its best checkpoint on validation texts, calibrated."""
    from triage.training.extras import require_training

    require_training("triage train")
    from triage.training.runtime import prepare_process

    prepare_process()
    from rich.console import Console

    from triage.logging import configure_logging
    from triage.training.options import Options
    from triage.training.workflow import build_corpus, checkpoint_folder, train_model

    configure_logging()
    corpus, labels = build_corpus(
        data,
        taxonomy_file=taxonomy,
        sources_file=sources,
        own=own,
        columns={"text": text_column, "intent": intent_column, "sentiment": sentiment_column},
        project=project_texts,
    )
    options = Options(
        base=base,
        layers=layers,
        epochs=epochs,
        max_minutes=max_minutes,
        seed=seed,
        learning_rate=learning_rate,
        head_learning_rate=head_learning_rate,
        warmup_steps=warmup_steps,
        token_budget=token_budget,
        max_tokens=max_tokens,
        bf16=bf16,
        threads=threads,
        checkpoint_minutes=checkpoint_minutes,
        validate_minutes=validate_minutes,
        start_from=str(checkpoint_folder(start_from)) if start_from else None,
    )
    best = train_model(corpus, labels, options, output, Console(stderr=True), resume=resume)
    typer.echo(str(best))
