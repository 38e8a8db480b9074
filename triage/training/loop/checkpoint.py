"""A trained model on disk, before export: weights, encoder shape, taxonomy, tokenizer, and how it came to be."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import load_file, save_file

from triage.errors import TrainingError
from triage.training.data.files import read_json, whole_folder, write_json
from triage.training.data.labels import Taxonomy, load_taxonomy
from triage.training.loop.model import MultiHeadModel, build_from_config, encoder_config

FILES = ("model.safetensors", "encoder_config.json", "taxonomy.yaml", "tokenizer.json", "info.json")


STAGE = ("commit", "seed", "texts", "steps", "minutes", "options", "mix", "averaged_with")
"""What a later stage keeps of the account of an earlier one."""


@dataclass(frozen=True)
class Checkpoint:
    model: MultiHeadModel
    taxonomy: Taxonomy
    tokenizer: Path
    info: dict[str, Any]


def save_checkpoint(
    folder: Path, model: MultiHeadModel, taxonomy: Taxonomy, tokenizer: Path, info: dict[str, Any]
) -> None:
    """Write the folder whole or not at all. Raises TrainingError where the disk cannot hold it."""
    with whole_folder(folder) as parts:
        save_file({name: value.contiguous() for name, value in model.state_dict().items()}, parts / "model.safetensors")
        write_json(parts / "encoder_config.json", encoder_config(model))
        (parts / "taxonomy.yaml").write_text(
            yaml.safe_dump({name: _plain(value) for name, value in asdict(taxonomy).items()}, sort_keys=False),
            encoding="utf-8",
        )
        shutil.copyfile(tokenizer, parts / "tokenizer.json")
        write_json(parts / "info.json", info)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Raises TrainingError if the folder is incomplete or its weights do not fit its configuration."""
    missing = [name for name in FILES if not (folder / name).exists()]
    if missing:
        raise TrainingError(f"{folder} is no checkpoint: {', '.join(missing)} missing")
    taxonomy = load_taxonomy(folder / "taxonomy.yaml")
    model = build_from_config(read_json(folder / "encoder_config.json"), taxonomy)
    try:
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except RuntimeError as error:
        raise TrainingError(f"the weights in {folder} do not fit its configuration: {error}") from error
    return Checkpoint(model.eval(), taxonomy, folder / "tokenizer.json", read_json(folder / "info.json"))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
