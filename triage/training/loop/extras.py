"""Clear errors where the `train` extra is not installed."""

import importlib.util

from triage.errors import MissingExtraError

_PACKAGES = ("torch", "transformers", "safetensors")


def require_training(feature: str) -> None:
    """Raises MissingExtraError naming `feature` and the extra if torch or transformers is not installed."""
    if any(importlib.util.find_spec(name) is None for name in _PACKAGES):
        raise MissingExtraError(feature, "train")


def require_export(feature: str) -> None:
    """As `require_training`, and for the onnx package."""
    import importlib.metadata

    require_training(feature)
    try:
        # find_spec would take the folder of exported models, onnx/ in the working directory, for the package.
        importlib.metadata.version("onnx")
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(feature, "train") from error
