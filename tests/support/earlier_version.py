"""An earlier version of triage, taken from the history of this checkout."""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from checkout import ROOT

PARTS = ("triage", "topics", "tests/support", "pyproject.toml")


def checkout_of(commit: str, folder: Path) -> Path:
    """The package and test helpers of a commit, in `folder`; skips the test where the history lacks it."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: the earlier version can't be taken from its history")
    archived = subprocess.run(
        [git, "-C", str(ROOT), "archive", "--format=tar", commit, *PARTS], capture_output=True, check=False
    )
    if archived.returncode:
        reason = archived.stderr.decode("utf-8", "replace").strip()
        pytest.skip(f"the history is too short for an upgrade from {commit[:7]}: {reason}")
    with tarfile.open(fileobj=BytesIO(archived.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder
