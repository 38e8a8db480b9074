"""The models that are there, for people."""

from pathlib import Path
from typing import Any

import msgspec

from triage.config import ModelSettings
from triage.errors import ModelError
from triage.inference.history import previous_of, read_history
from triage.inference.manifest import CARD_FILE, read_manifest
from triage.inference.registry import find_folder, model_folders, registry_folder

METRICS_FILE = "metrics.json"
FIGURES = {"intent": "macro_f1", "sentiment": "macro_recall", "entities": "f1"}
"""The figure of each head that stands for it in a list."""


def list_entries(settings: ModelSettings) -> list[dict[str, Any]]:
    """One entry for every model folder in the registry and the one in `model.path`, by name.

    `serves` marks the one in use, `previous` the one that `triage model rollback` would go back to. `figures` are the
    means over the test sets of the model's own metrics.json, which only compare where the sets are the same. A folder
    whose manifest is no good has a `problem` instead of its details. Raises ModelError if there is none.
    """
    try:
        serving: Path | None = find_folder(settings)
    except ModelError as error:
        serving, reason = None, error
    folders = {folder.resolve(): folder for folder in _folders(settings).values()}
    if serving is not None:
        folders.setdefault(serving.resolve(), serving)
    if not folders:
        raise reason
    in_use = serving.resolve() if serving else None
    previous = _previous(settings)
    return [
        _entry(folder, path == in_use, path == previous)
        for path, folder in sorted(folders.items(), key=lambda item: item[0].name)
    ]


def folder_of(settings: ModelSettings, name: str | None) -> Path:
    """Folder of the model called `name` in the registry, of the one that serves without a name. Raises ModelError."""
    if name is None:
        return find_folder(settings)
    folders = _folders(settings)
    if name not in folders:
        known = ", ".join(sorted(folders)) or "none"
        where = settings.registry or "onnx/"
        raise ModelError(f"no model {name!r} in {where}; there: {known}")
    return folders[name]


def read_card(folder: Path) -> str:
    """The model card, Markdown. Raises ModelError without one."""
    path = folder / CARD_FILE
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ModelError(f"{path} is not there: this model has no card; `triage evaluate` writes it") from error


def _folders(settings: ModelSettings) -> dict[str, Path]:
    try:
        return model_folders(registry_folder(settings))
    except ModelError:
        return {}


def _previous(settings: ModelSettings) -> Path | None:
    """Folder to roll back to; with model.path set there is no going back by CURRENT."""
    if settings.path is not None:
        return None
    try:
        registry = registry_folder(settings)
        name = previous_of(read_history(registry), find_folder(settings).name)
    except (ModelError, OSError):
        return None
    return (registry / name).resolve() if name else None


def _entry(folder: Path, serves: bool, previous: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"serves": serves, "previous": previous, "name": folder.name, "folder": str(folder)}
    try:
        manifest = read_manifest(folder)
    except ModelError as error:
        return entry | {"problem": str(error)}
    return entry | {
        "version": manifest.version,
        "label": manifest.label,
        "taxonomy": manifest.taxonomy,
        "languages": manifest.languages,
        "intents": len(manifest.intents),
        "encoder": manifest.encoder.get("base", ""),
        "form": manifest.form,
        "mib": round(sum(file.bytes for file in manifest.files.values()) / 2**20, 1),
        "figures": _figures(folder),
    }


def _figures(folder: Path) -> dict[str, float]:
    """`{"intent": mean macro-F1, "sentiment": mean macro-recall, "entities": mean F1}` as far as it was measured."""
    try:
        packs = msgspec.json.decode((folder / METRICS_FILE).read_bytes())["packs"]
        scored = [heads for heads in packs.values() if isinstance(heads, dict)]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return {}
    figures = {}
    for head, figure in FIGURES.items():
        values = [
            heads[head][figure]
            for heads in scored
            if isinstance(heads.get(head), dict) and isinstance(heads[head].get(figure), (int, float))
        ]
        if values:
            figures[head] = round(sum(values) / len(values), 4)
    return figures
