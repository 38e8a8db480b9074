"""Loads pretrained encoders of all families that transformers' AutoModel supports, such as BERT and XLM-RoBERTa."""

import inspect
from pathlib import Path
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from triage.errors import TrainingError

ENCODER_FILES = ("config.json", "tokenizer.json")
_INPUTS = {"input_ids", "attention_mask"}


def load_encoder(base: str | Path, layers: int | None = None) -> PreTrainedModel:
    """A pretrained encoder from a folder or a hub name, in fp32, reduced to its first `layers` layers.

    Raises TrainingError if the folder is incomplete, the model cannot be loaded or does not return a vector for each
    token of a text, or it has fewer than `layers` layers.
    """
    folder = Path(base)
    if folder.is_dir():
        missing = [name for name in ENCODER_FILES if not (folder / name).exists()]
        if missing:
            raise TrainingError(f"{folder} is not an encoder: {' and '.join(missing)} missing")
    try:
        encoder = _without_pooler(AutoModel.from_pretrained, str(base))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"the encoder {base} cannot be loaded: {error}") from error
    _require_token_vectors(encoder, base)
    if layers is not None:
        _truncate(encoder, layers, base)
    return encoder.float()


def build_encoder(config: dict[str, Any]) -> PreTrainedModel:
    """An untrained encoder with the configuration `config`, the content of a config.json."""
    settings = dict(config)
    return _without_pooler(AutoModel.from_config, AutoConfig.for_model(settings.pop("model_type"), **settings))


def encoder_layers(encoder: nn.Module) -> tuple[str, nn.ModuleList] | None:
    """Name and list of the encoder's layers; None if the layers share their weights (ALBERT)."""
    depth = encoder.config.num_hidden_layers
    for name, module in encoder.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return name, module
    return None


def longest_input(encoder: PreTrainedModel) -> int:
    """Largest number of tokens that the encoder accepts: its positions, in RoBERTa and relatives without padding's."""
    positions = int(encoder.config.max_position_embeddings)
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return positions - int(module.padding_idx) - 1
    return positions


def _without_pooler(build: Any, source: str | PretrainedConfig) -> PreTrainedModel:
    """Build without a pooler, which is not used and would have random weights; some families lack the argument."""
    try:
        return build(source, add_pooling_layer=False)
    except TypeError:
        return build(source)


def _require_token_vectors(encoder: PreTrainedModel, base: str | Path) -> None:
    kind = type(encoder).__name__
    if not set(inspect.signature(encoder.forward).parameters) >= _INPUTS:
        raise TrainingError(f"{base} is a {kind}, which does not read text tokens; give an encoder such as a BertModel")
    if encoder.config.is_encoder_decoder:
        raise TrainingError(f"{base} is a {kind} with a decoder; the heads need an encoder alone, such as a BertModel")
    if encoder.config.pad_token_id is None:
        raise TrainingError(f"{base} has no padding token (pad_token_id in its config.json), which batches need")


def _truncate(encoder: PreTrainedModel, layers: int, base: str | Path) -> None:
    found = encoder_layers(encoder)
    available = len(found[1]) if found else 0
    if found is None or not 1 <= layers <= available:
        raise TrainingError(f"--layers {layers} is not between 1 and the {available} layers of {base}")
    name, stack = found
    parent, _, attribute = name.rpartition(".")
    setattr(encoder.get_submodule(parent), attribute, stack[:layers])
    encoder.config.num_hidden_layers = layers
