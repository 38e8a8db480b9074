"""Files of checkpoints and model folders, whole or not at all (apart from checkpoint.py, which needs torch)."""

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from triage.errors import TrainingError


def write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty neighbour to fill, which takes the place of `folder` if the block ends well.

    If it does not, the neighbour is removed and `folder` is as before. Raises TrainingError where the disk cannot
    hold it.
    """
    parts, before = folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".before")
    with disk_errors(folder):
        try:
            shutil.rmtree(parts, ignore_errors=True)
            parts.mkdir(parents=True)
            yield parts
            shutil.rmtree(before, ignore_errors=True)
            if folder.exists():
                folder.rename(before)
            parts.rename(folder)
        except BaseException:
            shutil.rmtree(parts, ignore_errors=True)
            if before.exists() and not folder.exists():
                before.rename(folder)
            raise
        shutil.rmtree(before, ignore_errors=True)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the libraries raise when they cannot write into a TrainingError that names `path` and the cause."""
    try:
        yield
    except TrainingError:
        raise
    except OSError as error:
        cause = "no space is left on the disk" if error.errno in {errno.ENOSPC, errno.EDQUOT} else str(error)
        raise TrainingError(f"{path} cannot be written: {cause}") from error
    except Exception as error:
        # torch raises RuntimeError and safetensors its own error, both with the cause only in their text.
        text = str(error)
        if "No space left" in text or "PytorchStreamWriter failed" in text or "I/O error" in text:
            raise TrainingError(f"{path} cannot be written: {text}; is the disk full?") from error
        raise
