"""Names inside the folder of a training run."""

from pathlib import Path

BEST = "best"


def checkpoint_folder(folder: Path) -> Path:
    """A run's best checkpoint, or the folder itself."""
    return folder / BEST if (folder / BEST).is_dir() else folder
