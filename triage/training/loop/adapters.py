"""Parameter-efficient fine-tuning with `peft`: trains a few additional weights and keeps those of the encoder."""

import copy
from collections.abc import Sequence
from typing import Any

from torch import nn

from triage.errors import MissingExtraError, TrainingError
from triage.training.loop.model import MultiHeadModel
from triage.training.loop.options import Options

PREFIX_TOKENS = 20
_ATTENTION = (("query", "value"), ("q_lin", "v_lin"), ("query_proj", "value_proj"), ("q_proj", "v_proj"), ("q", "v"))
"""Names of the query and value projections in different families: BERT, DistilBERT, DeBERTa, and others."""
_IA3 = ("key", "value", "intermediate.dense")


def add_adapters(model: MultiHeadModel, options: Options, steps: int) -> None:
    """Add the adapters of the method `options.peft` to the encoder of `model`; None adds none.

    AdaLoRA schedules its ranks over the `steps` of the run. Raises MissingExtraError without the package,
    TrainingError for an encoder whose modules have other names.
    """
    if options.peft is None:
        return
    try:
        from peft import get_peft_model
    except ImportError as error:
        raise MissingExtraError(f"--peft {options.peft}", "train") from error
    model.encoder = get_peft_model(model.encoder, _config(options, steps, model.encoder))


def update_ranks(model: MultiHeadModel, options: Options, step: int) -> None:
    """Let AdaLoRA redistribute its ranks after a step; other methods need no update."""
    if options.peft == "adalora":
        model.encoder.base_model.update_and_allocate(step)


def merge_adapters(model: MultiHeadModel) -> MultiHeadModel:
    """A copy of the model with the adapters merged into the encoder's weights; `model` itself without adapters.

    Raises TrainingError for prefix tuning: prefixes are attention keys and values, not changes of weights.
    """
    if not hasattr(model.encoder, "peft_config"):
        return model
    if not can_merge(model):
        raise TrainingError("prefix tuning cannot be merged into the encoder, so it cannot be saved or exported")
    plain = copy.deepcopy(model)
    plain.encoder = plain.encoder.merge_and_unload()
    return plain


def can_merge(model: MultiHeadModel) -> bool:
    """True if the model has no adapters, or adapters that can be merged into its weights."""
    return not hasattr(model.encoder, "peft_config") or hasattr(model.encoder.base_model, "merge_and_unload")


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """(number of trainable parameters, number of all parameters) of a model."""
    counts = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(count for count, trainable in counts if trainable), sum(count for count, _ in counts)


def _config(options: Options, steps: int, encoder: nn.Module) -> Any:
    from peft import AdaLoraConfig, IA3Config, LoraConfig, PrefixTuningConfig

    task = "FEATURE_EXTRACTION"
    rank = options.peft_rank
    attention = _target_modules(encoder, _ATTENTION, options) if options.peft in {"lora", "adalora"} else []
    if options.peft == "lora":
        return LoraConfig(task_type=task, r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules=attention)
    if options.peft == "adalora":
        return AdaLoraConfig(
            task_type=task,
            init_r=rank + rank // 2,
            target_r=rank,
            lora_alpha=2 * rank,
            target_modules=attention,
            total_step=steps,
            tinit=steps // 10,
            tfinal=steps // 3,
            deltaT=max(1, steps // 50),
        )
    if options.peft == "ia3":
        _target_modules(encoder, (_IA3,), options)
        return IA3Config(task_type=task, target_modules=list(_IA3), feedforward_modules=[_IA3[-1]])
    return PrefixTuningConfig(task_type=task, num_virtual_tokens=PREFIX_TOKENS)


def _target_modules(encoder: nn.Module, choices: Sequence[Sequence[str]], options: Options) -> list[str]:
    """The first of `choices` whose modules the encoder has. Raises TrainingError if it has none of them."""
    names = [name for name, _ in encoder.named_modules()]
    for choice in choices:
        if all(any(name.endswith(f".{part}") for name in names) for part in choice):
            return list(choice)
    raise TrainingError(f"--peft {options.peft} does not support a {type(encoder).__name__}; leave it out")
