"""Finds the serving model: the folder `model.path`, else the folder named by CURRENT in the registry (`onnx/`)."""

from pathlib import Path

from triage.config import ModelSettings
from triage.errors import ConfigError, ModelError
from triage.inference.manifest import MANIFEST_FILE
from triage.paths import resource

CURRENT = "CURRENT"
MODELS = "onnx"
_FIX = "train one with `triage train`, or set model.path to a model folder"


def registry_folder(settings: ModelSettings) -> Path:
    """The folder that contains the model folders and CURRENT. Raises ModelError if it does not exist."""
    if settings.registry is not None:
        if not settings.registry.is_dir():
            raise ModelError(f"no folder at {settings.registry} (model.registry); {_FIX}")
        return settings.registry
    try:
        return resource(MODELS)
    except ConfigError as error:
        raise ModelError(f"no models: {error}; or {_FIX}") from error


def find_folder(settings: ModelSettings) -> Path:
    """Folder of the model to serve. Raises ModelError naming the missing folder or file."""
    if settings.path is not None:
        if not settings.path.is_dir():
            raise ModelError(f"no model folder at {settings.path} (model.path); {_FIX}")
        return settings.path
    if settings.registry is not None:
        current = registry_folder(settings) / CURRENT
        if not current.is_file():
            raise ModelError(f"no model: {current} is not there; `triage model promote NAME` writes it, or {_FIX}")
    else:
        try:
            current = resource(f"{MODELS}/{CURRENT}")
        except ConfigError as error:
            raise ModelError(f"no model: {error}; or {_FIX}") from error
    return current.parent / _read_current(current)


def model_folders(registry: Path) -> dict[str, Path]:
    """Every folder with a manifest, by name; hidden ones (unfinished exports, folders of the volume) are skipped."""
    folders = sorted(child for child in registry.iterdir() if not child.name.startswith("."))
    return {child.name: child for child in folders if (child / MANIFEST_FILE).is_file()}


def _read_current(current: Path) -> str:
    try:
        name = current.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{current} cannot be read: {error}") from error
    if not name or Path(name).name != name or name in {".", ".."}:
        raise ModelError(f"{current} must hold the name of one folder next to it, not {name[:80]!r}")
    try:
        exists = (current.parent / name).is_dir()
    except OSError:  # too long for a name
        exists = False
    if not exists:
        raise ModelError(f"{current} names {name[:80]!r}, but {current.parent / name[:80]} is not there; {_FIX}")
    return name
