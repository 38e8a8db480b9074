"""Where the files beside the package (`onnx/`, `topics/`, ...) are found, and how one is replaced whole."""

import os
import secrets
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


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader, a crash or a full disk finds the old content or the new one, never a part.

    Raises OSError; then nothing has changed and nothing is left behind.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself survives a power cut
    finally:
        os.close(folder)
