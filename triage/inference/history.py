"""Reads and encodes the log of promotions and rollbacks of models: the file HISTORY, one JSON object per line.

It is next to CURRENT, the file in the registry that names the folder of the serving model.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from triage.decoding import DecodeError, decoded

HISTORY = "HISTORY"
_MOST_CHANGES = 1000


class Change(msgspec.Struct, frozen=True):
    """One switch of the serving model: from the folder `previous` to the folder `name`, both in the registry.

    `at` is the time (RFC 3339), `version` the new model's name@version; `previous` is None if no model was serving.
    """

    at: str  # RFC 3339
    action: Literal["promote", "rollback"]
    previous: str | None
    name: str
    version: str  # name@version of its manifest


def read_history(registry: Path) -> list[Change]:
    """Read all switches of the serving model, oldest first; [] if the history file does not exist.

    Incomplete lines are skipped. Raises OSError if the file cannot be read.
    """
    try:
        lines = (registry / HISTORY).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return list(_decoded(lines))


def encode(changes: Sequence[Change]) -> bytes:
    """Encode the history file with these changes; only the latest 1,000 are kept."""
    return b"".join(msgspec.json.encode(change) + b"\n" for change in changes[-_MOST_CHANGES:])


def completed(changes: Sequence[Change], current: str | None) -> Sequence[Change]:
    """The changes that took effect, oldest first; `current` is the content of CURRENT, None without the file.

    A crash between writing HISTORY and CURRENT leaves a last change that never reached CURRENT: it is left out.
    """
    unfinished = changes and changes[-1].name != current and changes[-1].previous == current
    return changes[:-1] if unfinished else changes


def previous_of(changes: Sequence[Change], current: str | None) -> str | None:
    """Name of the model that a rollback from `current`, the content of CURRENT, restores; None if there is none.

    `changes` is the history, oldest first. Two rollbacks undo two promotions. If CURRENT was edited manually, the
    last promoted model is restored.
    """
    changes = completed(changes, current)
    if changes and changes[-1].name != current:
        return changes[-1].name
    stack: list[str | None] = []
    for change in changes:
        if change.action == "promote":
            stack.append(change.previous)
        elif stack:
            stack.pop()
    return stack[-1] if stack else None


def _decoded(lines: Sequence[bytes]) -> Iterator[Change]:
    for line in lines:
        try:
            yield decoded(msgspec.json.decode, line, type=Change)
        except DecodeError:
            continue
