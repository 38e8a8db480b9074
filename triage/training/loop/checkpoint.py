"""Saves and loads checkpoints, a trained model before export, and the state of a run that can be resumed."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file, save_file

from triage.errors import TrainingError
from triage.training.data.files import atomic_folder, disk_errors, read_json, write_json
from triage.training.data.labels import Taxonomy, load_taxonomy
from triage.training.loop.model import MultiHeadModel, build_from_config, encoder_config
from triage.training.loop.options import Options

FILES = ("model.safetensors", "encoder_config.json", "taxonomy.yaml", "tokenizer.json", "info.json")
RESUME_FILE = "resume.pt"
STAGE_FIELDS = ("commit", "seed", "texts", "steps", "minutes", "options", "mix", "averaged_with")
"""Fields of info.json by which a later stage describes an earlier one."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model; `tokenizer` is the path of its tokenizer.json, `info` describes how it was trained."""

    model: MultiHeadModel
    taxonomy: Taxonomy
    tokenizer: Path
    info: dict[str, Any]


def save_checkpoint(
    folder: Path, model: MultiHeadModel, taxonomy: Taxonomy, tokenizer: Path, info: dict[str, Any]
) -> None:
    """Write the folder of a checkpoint atomically; `info` describes how the model was trained.

    Raises TrainingError if the disk is full.
    """
    with atomic_folder(folder) as staging:
        weights = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(weights, staging / "model.safetensors")
        write_json(staging / "encoder_config.json", encoder_config(model))
        (staging / "taxonomy.yaml").write_text(
            yaml.safe_dump({name: _plain(value) for name, value in asdict(taxonomy).items()}, sort_keys=False),
            encoding="utf-8",
        )
        shutil.copyfile(tokenizer, staging / "tokenizer.json")
        write_json(staging / "info.json", info)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Load a checkpoint; its model is in evaluation mode.

    Raises TrainingError if the folder is incomplete or its weights do not fit its configuration.
    """
    missing = [name for name in FILES if not (folder / name).exists()]
    if missing:
        raise TrainingError(f"{folder} is not a checkpoint: {', '.join(missing)} missing")
    taxonomy = load_taxonomy(folder / "taxonomy.yaml")
    model = build_from_config(read_json(folder / "encoder_config.json"), taxonomy)
    try:
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except RuntimeError as error:
        raise TrainingError(f"the weights in {folder} do not fit its configuration: {error}") from error
    return Checkpoint(model.eval(), taxonomy, folder / "tokenizer.json", read_json(folder / "info.json"))


def save_state(run_folder: Path, state: dict[str, Any]) -> None:
    """Write the state of a run to resume.pt atomically. Raises TrainingError if the disk is full."""
    path, partial = run_folder / RESUME_FILE, run_folder / f"{RESUME_FILE}.partial"
    try:
        with disk_errors(path):
            torch.save(state, partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_state(run_folder: Path, options: Options) -> dict[str, Any] | None:
    """The state of a run that `save_state` wrote; None without one.

    Raises TrainingError if the run had other options.
    """
    path = run_folder / RESUME_FILE
    if not path.exists():
        return None
    if options.peft == "adalora":
        raise TrainingError("AdaLoRA keeps its rank statistics in memory, so the run cannot be resumed; start it again")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    identity = options.identity()
    different = sorted(key for key in {*identity, *state["options"]} if identity.get(key) != state["options"].get(key))
    if different:
        raise TrainingError(
            f"{path} belongs to a run with other options ({', '.join(different)}); remove it or give another --output"
        )
    return state


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
