"""Reads the commit of the training code, and checks whether a commit is in the history of this checkout."""

import subprocess
from functools import cache
from pathlib import Path


def current_commit() -> str:
    """Short hash of the checked-out commit; empty outside a checkout."""
    return _git("rev-parse", "--short", "HEAD") or ""


@cache
def in_history(commit: str | None) -> bool:
    """True if the commit is in the history of this checkout, so that readers can find it."""
    return bool(commit) and _git("merge-base", "--is-ancestor", f"{commit}", "HEAD") is not None


def _git(*arguments: str) -> str | None:
    """Output of a git command; None if it fails or git is not installed."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
