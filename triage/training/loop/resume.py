"""What a stopped run goes on from: one file, whole or not there."""

from pathlib import Path
from typing import Any

import torch

from triage.errors import TrainingError
from triage.training.data.files import disk_errors
from triage.training.loop.options import Options

RESUME_FILE = "resume.pt"


def save_state(work: Path, state: dict[str, Any]) -> None:
    """Raises TrainingError where the disk cannot hold it; an earlier file stays as it was."""
    path, partial = work / RESUME_FILE, work / f"{RESUME_FILE}.partial"
    try:
        with disk_errors(path):
            torch.save(state, partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_state(work: Path, options: Options) -> dict[str, Any] | None:
    """The saved state of a run with the same options; None without one. Raises TrainingError if it is of another."""
    path = work / RESUME_FILE
    if not path.exists():
        return None
    if options.peft == "adalora":
        raise TrainingError("AdaLoRA keeps its rank statistics in memory: such a run cannot go on; start it anew")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    wanted = options.identity()
    other = sorted(key for key in {*wanted, *state["options"]} if wanted.get(key) != state["options"].get(key))
    if other:
        raise TrainingError(
            f"{path} belongs to a run with other options ({', '.join(other)}); remove it or give another --output"
        )
    return state
