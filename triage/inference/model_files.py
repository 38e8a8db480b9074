"""Compares the files of a model folder with its manifest; unlisted and changed files make the folder invalid.

Only the manifest itself is not listed. Weights that `model.onnx` stores in other files must be listed, too, because a
runtime would load them silently.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from triage.errors import ModelError
from triage.inference.external_weights import external_files
from triage.inference.manifest import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, Manifest, read_manifest
from triage.paths import replace_file

_MOST_NAMED = 5
_FIX = "restore the folder from where it came, or export the model again"


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its size and SHA-256 in the manifest.

    Raises ModelError naming all files that differ, are missing, or are not listed.
    """
    problems = [problem for name in manifest.files if (problem := _difference(folder, name, manifest))]
    if not problems:
        problems += _unlisted_weights(folder, manifest)
    fix = [_FIX] if problems else []
    if unlisted := unlisted_files(folder, manifest):
        problems.append(_named(folder, unlisted))
        fix.append(
            f"remove what does not belong to the model, or check it and run `triage model verify {folder} --update`"
        )
    if problems:
        raise ModelError("; ".join([*problems, *fix]))


def quick_problem(folder: Path, manifest: Manifest) -> str | None:
    """The first difference of a model folder from its manifest in names or sizes of files; None without one.

    The content of the files is not read.
    """
    for name, expected in manifest.files.items():
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            return f"{name}: {error.strerror}"
        if size != expected.bytes:
            return f"{name} has {size} bytes, the manifest says {expected.bytes}"
    unlisted = unlisted_files(folder, manifest)
    return f"not in the manifest: {', '.join(unlisted[:_MOST_NAMED])}" if unlisted else None


def unlisted_files(folder: Path, manifest: Manifest) -> list[str]:
    """Paths below the folder of files and links that its manifest does not list, sorted."""
    known = {MANIFEST_FILE, *manifest.files}
    return sorted(path for path in _all_files(folder) if path not in known)


def record_files(folder: Path, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Write size and SHA-256 of the files `names`, as they are now, into the manifest; return the manifest.

    If `names` is None, the manifest then lists all files of the folder, and no others. Raises OSError.
    """
    path = folder / MANIFEST_FILE
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if names is None:
        before, names = {}, [name for name in sorted(_all_files(folder)) if name != MANIFEST_FILE]
    else:
        before = manifest.get("files", {})
    manifest["files"] = before | {name: file_digest(folder / name) for name in names}
    replace_file(path, (json.dumps(manifest, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
    return manifest


def update_manifest(folder: Path) -> None:
    """Write size and SHA-256 of all files of the folder into its manifest.

    Raises ModelError if the manifest is invalid or cannot be written.
    """
    manifest = read_manifest(folder)
    if missing := [
        name for name in (MODEL_FILE, TOKENIZER_FILE) if name in manifest.files and not (folder / name).is_file()
    ]:
        raise ModelError(f"{folder / missing[0]} is not there; {_FIX}")
    try:
        record_files(folder)
    except OSError as error:
        raise ModelError(f"{error.filename or folder}: {error.strerror}; nothing was changed") from error


def file_digest(path: Path) -> dict[str, Any]:
    """`sha256` (hexadecimal) and size in `bytes` of a file, as the manifest has them. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"sha256": digest, "bytes": file.tell()}


def _all_files(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        below = Path(place).relative_to(folder)
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            yield (below / name).as_posix()


def _unlisted_weights(folder: Path, manifest: Manifest) -> list[str]:
    names = sorted(external_files(folder / MODEL_FILE) - set(manifest.files))
    return [f"{folder / MODEL_FILE} keeps weights in {name!r}, which the manifest does not list" for name in names]


def _named(folder: Path, names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(names[:_MOST_NAMED])
    return f"{folder} holds what its manifest does not list: {listed}{more}"


def _difference(folder: Path, name: str, manifest: Manifest) -> str | None:
    path, expected = folder / name, manifest.files[name]
    try:
        found = file_digest(path)
    except FileNotFoundError:
        return f"{path} is not there"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if found["bytes"] != expected.bytes:
        return f"{path} is damaged: {found['bytes']} bytes, the manifest says {expected.bytes}"
    if found["sha256"] != expected.sha256.lower():
        return f"{path} is damaged: its SHA-256 begins {found['sha256'][:12]}, the manifest says {expected.sha256[:12]}"
    return None
