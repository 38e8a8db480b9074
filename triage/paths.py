"""Finds the data files that triage ships (`onnx/`, `topics/`, `benchmarks/data/`), and replaces files atomically."""

import os
import secrets
from pathlib import Path

from triage.errors import ConfigError

PACKAGED = Path(__file__).resolve().with_name("_data")
"""Data files of an installed wheel (setup.py copies them there); a checkout has them at its top level instead."""


def resource(name: str) -> Path:
    """Find a data file or folder by its relative name, e.g. `topics/topics.yaml`.

    Searches only `TRIAGE_HOME` if that is set; else the working directory, then the installed package or the checkout.
    An absolute `name` is returned as it is. Raises ConfigError naming every place that was searched.
    """
    candidate = Path(name)
    if candidate.is_absolute():
        return candidate
    home = os.environ.get("TRIAGE_HOME")
    # In site-packages the parent folder is everybody's: its `onnx` would be PyPI's package of that name.
    shipped = PACKAGED if PACKAGED.is_dir() else PACKAGED.parent.parent
    bases = [Path(home)] if home else [Path.cwd(), shipped]
    for base in bases:
        if (base / candidate).exists():
            return base / candidate
    looked = ", ".join(str(base / candidate) for base in bases)
    fix = "put it there, or unset TRIAGE_HOME to use the shipped files" if home else "install triage again"
    raise ConfigError(f"{name} is not there (looked at {looked}); {fix}")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically: after a crash or on a full disk it has the old or the new content, never a part.

    Raises OSError; in that case the file is unchanged and nothing is left behind.
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
