"""Which model serves: CURRENT is switched whole or not at all, and only to a model that was tried."""

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
from triage.inference.history import HISTORY, Change, encoded, previous_of, read_history, settled
from triage.inference.promotion_checks import vet
from triage.inference.registry import CURRENT, model_folders, registry_folder
from triage.paths import PACKAGED, replace_file


class Switched(NamedTuple):
    """`change` is None where the model served already; `warnings` are for the person who asked."""

    version: str
    change: Change | None
    warnings: list[str]


def promote(settings: Settings, name: str, clock: Clock, *, force: bool = False) -> Switched:
    """Make the model folder `name` of the registry the one that serves; running workers take it over.

    Raises ModelError, with nothing changed, for a name that is not there, a folder that does not check out or whose
    model does not run, rules that name labels it lacks (unless `force`), and a registry that cannot be written;
    ConfigError if model.path decides which model serves.
    """
    return _switch(settings, name, clock, "promote", force)


def rollback(settings: Settings, clock: Clock, *, force: bool = False) -> Switched:
    """Go back to the model that served before the last promotion. Raises as `promote` does, and without a history."""
    return _switch(settings, None, clock, "rollback", force)


def current_name(registry: Path) -> str | None:
    """What CURRENT says, right or wrong; None without one. Raises ModelError if it cannot be read."""
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
        vetted = vet(folders[name], folders.get(current or ""), settings, force=force)
        if name == current:
            return Switched(vetted.version, None, vetted.warnings)
        change = Change(
            rfc3339(clock.now_ms()), "promote" if action == "promote" else "rollback", current, name, vetted.version
        )
        _write(registry, [*settled(history, current), change], name)
    return Switched(vetted.version, change, vetted.warnings)


def _history(registry: Path) -> list[Change]:
    try:
        return read_history(registry)
    except OSError as error:
        raise ModelError(f"{registry / HISTORY} cannot be read: {error.strerror}") from error


def _write(registry: Path, changes: list[Change], name: str) -> None:
    # History first: a crash in between leaves a last line that did not happen, which previous_of() sees.
    earlier = encoded(changes[:-1])
    try:
        replace_file(registry / HISTORY, encoded(changes))
        try:
            replace_file(registry / CURRENT, f"{name}\n".encode())
        except OSError:
            with contextlib.suppress(OSError):
                replace_file(registry / HISTORY, earlier)
            raise
    except OSError as error:
        raise _refused(registry, error) from error


@contextlib.contextmanager
def _locked(registry: Path) -> Iterator[None]:
    """One switch at a time; the second waits for the first."""
    try:
        folder = os.open(registry, os.O_RDONLY)
    except OSError as error:
        raise ModelError(f"{registry} cannot be read: {error.strerror}") from error
    try:
        # Some network file systems know no locks; there two operators at once are on their own.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _refused(registry: Path, error: OSError) -> ModelError:
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return ModelError(
            f"{registry} cannot be written here ({error.strerror}), nothing was changed: promote where the models' "
            "volume is mounted for writing, or set model.registry to a folder that can be written"
        )
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ModelError(f"no space left in {registry}, nothing was changed: free some and promote again")
    return ModelError(f"{registry / CURRENT} cannot be written, nothing was changed: {error}")
