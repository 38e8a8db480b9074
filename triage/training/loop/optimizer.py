"""Freezes parameters and builds the AdamW optimizer with layer-wise learning rates."""

import re

import torch
from torch import nn

from triage.errors import TrainingError
from triage.training.loop.encoders import encoder_layers
from triage.training.loop.model import MultiHeadModel
from triage.training.loop.options import Options


def freeze(model: MultiHeadModel, options: Options) -> None:
    """Freeze what `options.freeze` names: nothing, the embeddings, these and N layers, or the whole encoder.

    It is "none", "embeddings", "layers:N" or "encoder". Raises TrainingError if the encoder has fewer than N layers.
    """
    encoder = model.encoder
    if options.freeze == "none":
        return
    if options.freeze == "encoder":
        encoder.requires_grad_(False)
        return
    embeddings = getattr(encoder, "embeddings", None) or encoder.get_input_embeddings()
    embeddings.requires_grad_(False)
    found = encoder_layers(encoder)
    layers = found[1] if found else nn.ModuleList()
    if options.frozen_layers > len(layers):
        raise TrainingError(f"freeze is {options.freeze}, but the encoder has only {len(layers)} layers")
    layers[: options.frozen_layers].requires_grad_(False)


def build_optimizer(model: MultiHeadModel, options: Options) -> torch.optim.AdamW:
    """AdamW over the trainable parameters; each group has a `peak` learning rate, which the schedule scales.

    The heads have their own rate. The rate of the encoder is multiplied by `layer_decay` per layer towards the
    embeddings (Howard and Ruder 2018, Universal Language Model Fine-tuning, section 3.2). Vectors (biases, norms) have
    no weight decay.
    """
    heads = {id(parameter) for parameter in model.head_parameters()}
    found = encoder_layers(model.encoder)
    depth = model.encoder.config.num_hidden_layers
    layer = re.compile(rf"{re.escape(found[0])}\.(\d+)\." if found else "(?!)")
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            peak = (
                options.head_learning_rate
                if id(parameter) in heads
                else _rate(layer.search(name), name, depth, options)
            )
            groups.setdefault((peak, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "peak": peak, "lr": 0.0, "weight_decay": options.weight_decay if is_matrix else 0.0}
            for (peak, is_matrix), parameters in groups.items()
        ]
    )


def _rate(layer: re.Match[str] | None, name: str, depth: int, options: Options) -> float:
    """Peak learning rate: that of the heads for adapters, which are untrained too; else by the layer of the weight."""
    if "lora_" in name or "ia3_" in name or "prompt_encoder" in name:
        return options.head_learning_rate
    below = depth - 1 - int(layer.group(1)) if layer else depth
    return float(options.learning_rate * options.layer_decay**below)
