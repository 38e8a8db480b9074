"""The models that are there, for people."""

from pathlib import Path
from typing import Any

from triage.config import ModelSettings
from triage.errors import ConfigError, ModelError
from triage.inference.manifest import CARD_FILE, MANIFEST_FILE, read_manifest
from triage.inference.registry import MODELS, find_folder
from triage.paths import resource


def list_entries(settings: ModelSettings) -> list[dict[str, Any]]:
    """One entry for every model folder in `onnx/` and the one in `model.path`, by name; `serves` marks the one in use.

    A folder whose manifest is no good has a `problem` instead of its details. Raises ModelError if there is none.
    """
    try:
        serving: Path | None = find_folder(settings)
    except ModelError as error:
        serving, reason = None, error
    folders = {folder.resolve(): folder for folder in _folders()}
    if serving is not None:
        folders.setdefault(serving.resolve(), serving)
    if not folders:
        raise reason
    in_use = serving.resolve() if serving else None
    return [_entry(folder, path == in_use) for path, folder in sorted(folders.items(), key=lambda item: item[0].name)]


def folder_of(settings: ModelSettings, name: str | None) -> Path:
    """Folder of the model called `name` in `onnx/`, of the one that serves without a name. Raises ModelError."""
    if name is None:
        return find_folder(settings)
    folders = {folder.name: folder for folder in _folders()}
    if name not in folders:
        known = ", ".join(sorted(folders)) or "none"
        raise ModelError(f"no model {name!r} in {MODELS}/; there: {known}")
    return folders[name]


def read_card(folder: Path) -> str:
    """The model card, Markdown. Raises ModelError without one."""
    path = folder / CARD_FILE
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ModelError(f"{path} is not there: this model has no card; `triage evaluate` writes it") from error


def _folders() -> list[Path]:
    try:
        models = resource(MODELS)
    except ConfigError:
        return []
    return [child for child in models.iterdir() if (child / MANIFEST_FILE).is_file()]


def _entry(folder: Path, serves: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"serves": serves, "name": folder.name, "folder": str(folder)}
    try:
        manifest = read_manifest(folder)
    except ModelError as error:
        return entry | {"problem": str(error)}
    return entry | {
        "name": manifest.name,
        "version": manifest.version,
        "taxonomy": manifest.taxonomy,
        "languages": manifest.languages,
        "intents": len(manifest.intents),
        "encoder": manifest.encoder.get("base", ""),
        "mib": round(sum(file.bytes for file in manifest.files.values()) / 2**20, 1),
    }
