"""Initializes a run from the checkpoint of an earlier stage, and loads the teacher of a distillation."""

from pathlib import Path
from typing import Any

from torch import Tensor

from triage.errors import TrainingError
from triage.training.data.labels import Taxonomy
from triage.training.loop.checkpoint import STAGE_FIELDS, load_checkpoint
from triage.training.loop.encoders import encoder_layers
from triage.training.loop.model import MultiHeadModel


def start_from(model: MultiHeadModel, folder: Path, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Load the weights of a checkpoint with the same labels; returns the description of each of its training stages.

    A model with fewer layers takes evenly spaced layers of the checkpoint (Sanh et al. 2019, DistilBERT, section 2,
    takes every second one). An aspect head that the checkpoint lacks stays untrained. Raises TrainingError if labels
    or shapes differ.
    """
    before = load_checkpoint(folder)
    if _labels(before.taxonomy) != _labels(taxonomy):
        raise TrainingError(f"{folder} was trained for another taxonomy; start from the base encoder instead")
    weights = before.model.state_dict()
    layers = model.encoder.config.num_hidden_layers
    if (available := before.model.encoder.config.num_hidden_layers) != layers:
        weights = _spaced_layers(weights, before.model, available, layers, folder)
    if before.taxonomy.aspects != taxonomy.aspects:
        weights = {name: value for name, value in weights.items() if not name.startswith("aspects.")}
    try:
        result = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise TrainingError(f"{folder} has another shape than --base and --layers give: {error}") from error
    if wrong := [name for name in (*result.missing_keys, *result.unexpected_keys) if not name.startswith("aspects.")]:
        raise TrainingError(f"{folder} has another shape than --base and --layers give: {', '.join(wrong[:3])} ...")
    stage = {key: before.info[key] for key in STAGE_FIELDS if key in before.info}
    return [*before.info.get("earlier_stages", []), stage]


def load_teacher(folder: Path, taxonomy: Taxonomy, tokenizer: Path) -> MultiHeadModel:
    """A frozen model, the teacher of a distillation, from a checkpoint with the same labels and tokens.

    Raises TrainingError if these differ.
    """
    teacher = load_checkpoint(folder)
    if _labels(teacher.taxonomy) != _labels(taxonomy) or teacher.taxonomy.aspects not in {(), taxonomy.aspects}:
        raise TrainingError(f"the teacher {folder} was trained for another taxonomy")
    if teacher.tokenizer.read_bytes() != tokenizer.read_bytes():
        raise TrainingError(f"the teacher {folder} has another tokenizer than --base; both need the same")
    teacher.model.requires_grad_(False)
    return teacher.model


def _spaced_layers(
    weights: dict[str, Tensor], before: MultiHeadModel, available: int, layers: int, folder: Path
) -> dict[str, Tensor]:
    """Weights with `layers` of the `available` layers, evenly spaced and renumbered."""
    found = encoder_layers(before.encoder)
    if found is None:
        raise TrainingError(f"the layers of {folder} share their weights; a model of other depth cannot start from it")
    stack = f"encoder.{found[0]}."
    if layers > available:
        raise TrainingError(
            f"{folder} has {available} layers, fewer than the {layers} of the model; give --layers {available}"
        )
    chosen = [round((index + 1) * available / layers) - 1 for index in range(layers)]
    kept = {name: value for name, value in weights.items() if not name.startswith(stack)}
    for new, old in enumerate(chosen):
        prefix = f"{stack}{old}."
        kept |= {
            f"{stack}{new}.{name.removeprefix(prefix)}": value
            for name, value in weights.items()
            if name.startswith(prefix)
        }
    return kept


def _labels(taxonomy: Taxonomy) -> tuple[tuple[str, ...], ...]:
    return taxonomy.intents, taxonomy.sentiments, taxonomy.entity_types
