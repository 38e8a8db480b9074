"""Where the files beside the package (`onnx/`, `topics/`, ...) are found."""

import os
from pathlib import Path

from triage.errors import ConfigError


def resource(name: str) -> Path:
    """Path of a file or folder of the project: under `TRIAGE_HOME`, the working directory, or the source checkout.

    Raises ConfigError naming every place that was looked at.
    """
    candidate = Path(name)
    if candidate.is_absolute():
        return candidate
    home = os.environ.get("TRIAGE_HOME")
    bases = [Path(home)] if home else [Path.cwd(), Path(__file__).resolve().parent.parent]
    for base in bases:
        if (base / candidate).exists():
            return base / candidate
    looked = ", ".join(str(base / candidate) for base in bases)
    raise ConfigError(f"{name} is not there (looked at {looked}); run from a checkout or set TRIAGE_HOME to one")
