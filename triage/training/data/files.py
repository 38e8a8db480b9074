"""Writes folders and files of checkpoints and models atomically. Imported without torch, unlike checkpoint.py."""

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from triage.errors import TrainingError

BEST = "best"
"""Folder of the best checkpoint inside the folder of a training run."""


def checkpoint_folder(folder: Path) -> Path:
    """Path of the best checkpoint if `folder` is a training run, else `folder` itself."""
    return folder / BEST if (folder / BEST).is_dir() else folder


def write_json(path: Path, data: Any, *, indent: int | None = 2) -> None:
    """Write `data` as JSON; with `indent` None on one line, half as large."""
    separators = (",", ":") if indent is None else None
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent, separators=separators) + "\n", "utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """An empty staging folder to fill, which replaces `folder` if the block succeeds.

    If the block raises, the staging folder is removed and `folder` is unchanged. Raises TrainingError if the disk is
    full.
    """
    staging, before = folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".before")
    with disk_errors(folder):
        try:
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
            yield staging
            shutil.rmtree(before, ignore_errors=True)
            if folder.exists():
                folder.rename(before)
            staging.rename(folder)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            if before.exists() and not folder.exists():
                before.rename(folder)
            raise
        shutil.rmtree(before, ignore_errors=True)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert the write errors of the libraries into a TrainingError that names `path` and the cause."""
    try:
        yield
    except TrainingError:
        raise
    except OSError as error:
        cause = "no space is left on the disk" if error.errno in {errno.ENOSPC, errno.EDQUOT} else str(error)
        raise TrainingError(f"{path} cannot be written: {cause}") from error
    except Exception as error:
        # torch raises RuntimeError and safetensors its own error; both name the cause only in their message.
        text = str(error)
        if "No space left" in text or "PytorchStreamWriter failed" in text or "I/O error" in text:
            raise TrainingError(f"{path} cannot be written: {text}; is the disk full?") from error
        raise
