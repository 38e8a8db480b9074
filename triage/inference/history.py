"""What was promoted and rolled back: one JSON object a line, beside CURRENT."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

HISTORY = "HISTORY"
_KEPT = 1000


class Change(msgspec.Struct, frozen=True):
    """One change of CURRENT, from the folder `previous` (None: there was no CURRENT) to the folder `name`."""

    at: str  # RFC 3339
    action: Literal["promote", "rollback"]
    previous: str | None
    name: str
    version: str  # name@version of its manifest


def read_history(registry: Path) -> list[Change]:
    """Oldest first; [] without a history. Lines that say nothing are left out. Raises OSError."""
    try:
        lines = (registry / HISTORY).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return list(_decoded(lines))


def encoded(changes: Sequence[Change]) -> bytes:
    """The history's file, bounded to the latest changes."""
    return b"".join(msgspec.json.encode(change) + b"\n" for change in changes[-_KEPT:])


def settled(changes: Sequence[Change], current: str | None) -> Sequence[Change]:
    """The changes that happened: without a last one that never reached CURRENT, after a crash between two writes."""
    unfinished = changes and changes[-1].name != current and changes[-1].previous == current
    return changes[:-1] if unfinished else changes


def previous_of(changes: Sequence[Change], current: str | None) -> str | None:
    """Name of the model to go back to from `current`; None if there is none.

    Rolling back twice goes back two promotions. From a CURRENT written by hand it goes back to the one that was last
    promoted.
    """
    changes = settled(changes, current)
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
            yield msgspec.json.decode(line, type=Change)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
