"""`triage train`: trains a model, one encoder with four heads, on datasets and custom texts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.training.data.examples import Example
    from triage.training.data.labels import Taxonomy


def command(
    base: Annotated[
        str,
        typer.Option(
            help="Pretrained encoder (BERT, XLM-RoBERTa, DeBERTa, ...): a folder, or a name on the Hugging Face hub"
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder of the run; `triage export` takes its `best` checkpoint")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the datasets that sources.yaml names [default: only the shipped and your own texts]"
        ),
    ] = None,
    layers: Annotated[int | None, typer.Option(help="Keep the first N layers of the encoder [default: all]")] = None,
    own: Annotated[Path | None, typer.Option(help="Your labelled texts, CSV or JSONL")] = None,
    text_column: Annotated[str, typer.Option(help="Field of --own that holds the text")] = "text",
    intent_column: Annotated[str, typer.Option(help="Field of --own that holds the intent")] = "intent",
    sentiment_column: Annotated[str, typer.Option(help="Field of --own that holds the sentiment")] = "sentiment",
    with_corrections: Annotated[
        str | None,
        typer.Option(metavar="FILE|index", help="People's corrections: `index`, or a file of `triage corrections`"),
    ] = None,
    project_texts: Annotated[
        bool, typer.Option("--project-texts/--no-project-texts", help="Whether to train on the shipped texts too")
    ] = True,
    taxonomy: Annotated[Path | None, typer.Option(help="Your label set [default: the shipped one]")] = None,
    sources: Annotated[Path | None, typer.Option(help="Your sources.yaml [default: the shipped one]")] = None,
    epochs: Annotated[float, typer.Option(min=0.001, help="Passes over the (capped) data")] = 2.0,
    max_minutes: Annotated[
        float | None, typer.Option(min=0.1, help="End after this time, with the learning rate decayed to zero")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(help="End after this many updates")] = None,
    seed: Annotated[int, typer.Option(help="Seed of sampling, order and dropout")] = 1,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of the encoder")] = 8e-5,
    head_learning_rate: Annotated[float, typer.Option(help="Peak learning rate of the heads (and adapters)")] = 5e-4,
    layer_decay: Annotated[float, typer.Option(help="Learning rate of a layer, relative to the layer above")] = 1.0,
    weight_decay: Annotated[float, typer.Option(help="Weight decay of AdamW, on matrices")] = 0.01,
    warmup_steps: Annotated[int, typer.Option(help="Steps until the learning rates reach their peak")] = 100,
    token_budget: Annotated[int, typer.Option(help="Tokens per batch, padding included")] = 2_048,
    accumulate: Annotated[int, typer.Option(help="Batches per update")] = 1,
    max_tokens: Annotated[
        int, typer.Option(min=8, max=512, help="Maximum number of tokens per text; longer texts are cut")
    ] = 128,
    label_smoothing: Annotated[float, typer.Option(help="Label smoothing of intents")] = 0.05,
    sentiment_smoothing: Annotated[float, typer.Option(help="Label smoothing of sentiments")] = 0.0,
    head_weight: Annotated[
        list[str] | None, typer.Option(metavar="HEAD=W", help="Weight of a head's loss (0: off); may be repeated")
    ] = None,
    ema_decay: Annotated[
        float, typer.Option(help="Validate and save a moving average of the weights, e.g. .995 [default: off]")
    ] = 0.0,
    freeze: Annotated[str, typer.Option(help="Weights to freeze: none, embeddings, layers:N or encoder")] = "none",
    peft: Annotated[str | None, typer.Option(help="Adapters: lora, adalora or ia3, merged when saved")] = None,
    peft_rank: Annotated[int, typer.Option(help="Rank of LoRA and AdaLoRA")] = 8,
    adversarial: Annotated[float, typer.Option(help="Strength of FGM, e.g. .5; doubles the time [default: off]")] = 0.0,
    augment: Annotated[float, typer.Option(help="Share of texts to augment, e.g. .1 [default: none]")] = 0.0,
    augmentation: Annotated[
        list[str] | None,
        typer.Option(help="Kind of augmentation: typos, drop, case, emoji, script; may be repeated [default: all]"),
    ] = None,
    teacher: Annotated[Path | None, typer.Option(help="Run or checkpoint to distil from")] = None,
    distill_weight: Annotated[float, typer.Option(help="Weight of the distillation loss")] = 1.0,
    distill_temperature: Annotated[float, typer.Option(help="Temperature of the teacher's probabilities")] = 2.0,
    patience: Annotated[int | None, typer.Option(help="Stop after this many validations without improvement")] = None,
    bf16: Annotated[
        bool | None,
        typer.Option(
            "--bf16/--fp32", help="Number format of the computation [default: bf16 on a CPU that has it, twice as fast]"
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of torch [default: torch's own choice]")] = None,
    checkpoint_minutes: Annotated[float, typer.Option(help="Interval of checkpoints for --resume")] = 5.0,
    validate_minutes: Annotated[
        float, typer.Option(help="Interval of validations, which keep the best checkpoint")
    ] = 10.0,
    validation_cap: Annotated[int, typer.Option(help="Maximum number of validation texts per dataset")] = 150,
    start_from: Annotated[
        Path | None,
        typer.Option(help="Start with the weights of this run or checkpoint, e.g. for a second stage on other data"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --output")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Train a model, and write the checkpoint that is best on validation texts, calibrated, to --output."""
    from triage.training.loop.environment import require_training

    require_training("triage train")
    from triage.training.loop.environment import prepare_process

    prepare_process()
    from rich.console import Console

    from triage.inference.hardware import has_fast_bf16
    from triage.logging import configure_logging
    from triage.training.data.files import checkpoint_folder
    from triage.training.loop.options import AUGMENTATIONS, Options
    from triage.training.release.workflow import build_corpus, train_model

    configure_logging()
    options = Options(
        base=base,
        layers=layers,
        epochs=epochs,
        max_steps=max_steps,
        max_minutes=max_minutes,
        seed=seed,
        learning_rate=learning_rate,
        head_learning_rate=head_learning_rate,
        layer_decay=layer_decay,
        weight_decay=weight_decay,
        warmup_steps=warmup_steps,
        token_budget=token_budget,
        accumulate=accumulate,
        max_tokens=max_tokens,
        bf16=has_fast_bf16() if bf16 is None else bf16,
        label_smoothing=label_smoothing,
        sentiment_smoothing=sentiment_smoothing,
        head_weights=_weights(head_weight or []),
        ema_decay=ema_decay,
        freeze=freeze,
        peft=_mergeable(peft),
        peft_rank=peft_rank,
        adversarial=adversarial,
        augment=augment,
        augmentations=tuple(augmentation or AUGMENTATIONS),
        teacher=str(checkpoint_folder(teacher)) if teacher else None,
        distill_weight=distill_weight,
        distill_temperature=distill_temperature,
        patience=patience,
        validate_minutes=validate_minutes,
        validation_cap=validation_cap,
        checkpoint_minutes=checkpoint_minutes,
        threads=threads,
        start_from=str(checkpoint_folder(start_from)) if start_from else None,
    )
    corpus, labels = build_corpus(
        data,
        taxonomy_file=taxonomy,
        sources_file=sources,
        custom_file=own,
        columns={"text": text_column, "intent": intent_column, "sentiment": sentiment_column},
        project=project_texts,
        corrections=_corrections(with_corrections, config, assignments, elasticsearch),
    )
    best = train_model(corpus, labels, options, output, Console(stderr=True), resume=resume)
    typer.echo(str(best))


def _corrections(
    source: str | None, config: Path | None, assignments: list[str] | None, url: str | None
) -> "Callable[[Taxonomy], dict[str, list[Example]]] | None":
    """Make the function that reads the corrections and prints how many it uses.

    None if `source` is None. The function returns training examples by split.
    """
    if source is None:
        return None

    def read(taxonomy: "Taxonomy") -> "dict[str, list[Example]]":
        from triage.training.data.corrections import correction_examples, read_corrections

        settings = settings_from(config, assignments, elasticsearch__url=url)
        splits, summary = correction_examples(read_corrections(source, lambda: settings.elasticsearch), taxonomy)
        for line in summary.lines():
            typer.echo(line, err=True)
        return splits

    return read


def _weights(pairs: list[str]) -> dict[str, float]:
    """Parse `HEAD=W` pairs to weights by head. Raises ConfigError for another form."""
    from triage.errors import ConfigError

    weights = {}
    for pair in pairs:
        head, _, weight = pair.partition("=")
        try:
            weights[head] = float(weight)
        except ValueError as error:
            raise ConfigError(f"--head-weight takes HEAD=W, e.g. aspects=0.3, not {pair!r}") from error
    return weights


def _mergeable(peft: str | None) -> str | None:
    from triage.errors import ConfigError

    if peft == "prefix":
        raise ConfigError(
            "--peft prefix cannot be merged into the encoder, so nothing could be exported; use lora, adalora or ia3"
        )
    return peft
