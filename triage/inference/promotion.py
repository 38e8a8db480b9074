"""Switches the serving model: checks the new one first, then replaces CURRENT atomically.

One switch runs at a time: a lock on the registry folder serializes promotions of several operators.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.errors import ConfigError, ModelError
from triage.inference.history import HISTORY, Change, completed, encode, previous_of, read_history
from triage.inference.promotion_checks import check_model
from triage.inference.registry import CURRENT, model_folders, registry_folder
from triage.paths import PACKAGED, replace_file


class Switched(NamedTuple):
    """Result of a promotion or rollback; `version` is the name@version of the model that is now serving.

    `change` is the entry added to the history; None if that model was already serving. `warnings` are shown to
    the operator.
    """

    version: str
    change: Change | None
    warnings: list[str]


def promote(settings: Settings, name: str, clock: Clock, *, force: bool = False) -> Switched:
    """Make the model folder `name` of the registry the serving model; running workers reload it.

    Raises ModelError, with nothing changed, for an unknown name, a folder that fails its checks, rules that use labels
    unknown to the model or a loss on the serving model's test sets (both unless `force`), and a registry that cannot be
    written; ConfigError if model.path is set, because it overrides CURRENT.
    """
    return _switch(settings, name, clock, "promote", force)


def rollback(settings: Settings, clock: Clock, *, force: bool = False) -> Switched:
    """Restore the model that served before the last promotion.

    Raises ModelError and ConfigError as `promote` does, and ModelError if the history holds no earlier model.
    """
    return _switch(settings, None, clock, "rollback", force)


def current_name(registry: Path) -> str | None:
    """Content of CURRENT, unchecked; None if it does not exist. Raises ModelError if it cannot be read."""
    try:
        return (registry / CURRENT).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{registry / CURRENT} cannot be read: {error}") from error


def _switch(settings: Settings, name: str | None, clock: Clock, action: str, force: bool) -> Switched:
    if settings.model.path is not None:
        raise ConfigError(
            f"model.path is {settings.model.path}: it decides which model serves, whatever {CURRENT} says; "
            "unset it, and point model.registry to the folder of the models"
        )
    registry = registry_folder(settings.model)
    if registry.is_relative_to(PACKAGED):  # the next `pip install` would undo it
        raise ModelError(
            f"{registry} is part of the installed package and stays as it is: put your models into a folder of "
            "your own, with the shipped one if you want it, and set model.registry to that folder"
        )
    with _locked(registry):
        history = _history(registry)
        current = current_name(registry)
        if name is None:
            name = previous_of(history, current)
            if name is None:
                raise ModelError(f"nothing to go back to: {registry / HISTORY} holds no earlier promotion")
        folders = model_folders(registry)
        if name not in folders:
            raise ModelError(f"no model {name!r} in {registry}; there: {', '.join(folders) or 'none'}")
        checked = check_model(
            folders[name], folders.get(current or ""), settings, force=force, returning=action == "rollback"
        )
        if name == current:
            return Switched(checked.version, None, checked.warnings)
        change = Change(
            rfc3339(clock.now_ms()), "promote" if action == "promote" else "rollback", current, name, checked.version
        )
        _write(registry, [*completed(history, current), change], name)
    return Switched(checked.version, change, checked.warnings)


def _history(registry: Path) -> list[Change]:
    try:
        return read_history(registry)
    except OSError as error:
        raise ModelError(f"{registry / HISTORY} cannot be read: {error.strerror}") from error


def _write(registry: Path, changes: list[Change], name: str) -> None:
    # History first: after a crash in between, its last change did not take effect, which completed() detects.
    earlier = encode(changes[:-1])
    try:
        replace_file(registry / HISTORY, encode(changes))
        try:
            replace_file(registry / CURRENT, f"{name}\n".encode())
        except OSError:
            with contextlib.suppress(OSError):
                replace_file(registry / HISTORY, earlier)
            raise
    except OSError as error:
        raise _write_error(registry, error) from error


@contextlib.contextmanager
def _locked(registry: Path) -> Iterator[None]:
    """Hold the registry's lock; a second switch waits for the first."""
    try:
        folder = os.open(registry, os.O_RDONLY)
    except OSError as error:
        raise ModelError(f"{registry} cannot be read: {error.strerror}") from error
    try:
        # Some network file systems have no locks; two simultaneous switches are not serialized there.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write_error(registry: Path, error: OSError) -> ModelError:
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return ModelError(
            f"{registry} cannot be written here ({error.strerror}), nothing was changed: promote where the models' "
            "volume is mounted for writing, or set model.registry to a folder that can be written"
        )
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ModelError(f"no space left in {registry}, nothing was changed: free some and promote again")
    return ModelError(f"{registry / CURRENT} cannot be written, nothing was changed: {error}")
