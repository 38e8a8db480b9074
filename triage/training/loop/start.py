"""Where a run begins besides the pretrained encoder: an earlier stage, or a teacher to learn from."""

from pathlib import Path
from typing import Any

from torch import Tensor

from triage.errors import TrainingError
from triage.training.data.labels import Taxonomy
from triage.training.loop.checkpoint import STAGE, load_checkpoint
from triage.training.loop.encoders import encoder_layers
from triage.training.loop.model import MultiHeadModel


def start_from(model: MultiHeadModel, folder: Path, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Take the weights of a checkpoint for the same labels; returns the accounts of its stages.

    A model with fewer layers takes layers evenly spread over the checkpoint's (Sanh et al. 2019, DistilBERT, section 2,
    takes one out of two). An aspect head that the checkpoint lacks begins untrained. Raises TrainingError if labels or
    shapes do not fit.
    """
    before = load_checkpoint(folder)
    if _labels(before.taxonomy) != _labels(taxonomy):
        raise TrainingError(f"{folder} was trained for another taxonomy; start from the base encoder instead")
    weights = before.model.state_dict()
    layers = model.encoder.config.num_hidden_layers
    if (theirs := before.model.encoder.config.num_hidden_layers) != layers:
        weights = _spread_layers(weights, before.model, theirs, layers, folder)
    if before.taxonomy.aspects != taxonomy.aspects:
        weights = {name: value for name, value in weights.items() if not name.startswith("aspects.")}
    try:
        result = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise TrainingError(f"{folder} has another shape than --base and --layers give: {error}") from error
    if wrong := [name for name in (*result.missing_keys, *result.unexpected_keys) if not name.startswith("aspects.")]:
        raise TrainingError(f"{folder} has another shape than --base and --layers give: {', '.join(wrong[:3])} ...")
    account = {key: before.info[key] for key in STAGE if key in before.info}
    return [*before.info.get("earlier_stages", []), account]


def load_teacher(folder: Path, taxonomy: Taxonomy, tokenizer: Path) -> MultiHeadModel:
    """A checkpoint that answers for the same labels over the same tokens. Raises TrainingError if it does not."""
    teacher = load_checkpoint(folder)
    if _labels(teacher.taxonomy) != _labels(taxonomy) or teacher.taxonomy.aspects not in {(), taxonomy.aspects}:
        raise TrainingError(f"the teacher {folder} was trained for another taxonomy")
    if teacher.tokenizer.read_bytes() != tokenizer.read_bytes():
        raise TrainingError(f"the teacher {folder} reads other tokens than --base; both need the same tokenizer")
    teacher.model.requires_grad_(False)
    return teacher.model


def _spread_layers(
    weights: dict[str, Tensor], before: MultiHeadModel, theirs: int, ours: int, folder: Path
) -> dict[str, Tensor]:
    found = encoder_layers(before.encoder)
    if found is None:
        raise TrainingError(f"the layers of {folder} share their weights; a model of other depth cannot start from it")
    stack = f"encoder.{found[0]}."
    if ours > theirs:
        raise TrainingError(f"{folder} has {theirs} layers, fewer than the {ours} of the model; give --layers {theirs}")
    chosen = [round((index + 1) * theirs / ours) - 1 for index in range(ours)]
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
