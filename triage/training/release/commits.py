"""The commit of the code that trained: kept in a manifest, and named to people only where they can find it."""

import subprocess
from functools import cache
from pathlib import Path


def current() -> str:
    """Short hash, empty outside a checkout."""
    return _git("rev-parse", "--short", "HEAD") or ""


@cache
def findable(commit: str | None) -> bool:
    """Whether it is in the history of this checkout: one of a branch that never came here says nothing to a reader."""
    return bool(commit) and _git("merge-base", "--is-ancestor", f"{commit}", "HEAD") is not None


def _git(*words: str) -> str | None:
    """What git says; None where it fails, or is not there."""
    command = ["git", "-C", str(Path(__file__).parent), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
