"""The interface of a sink, which stores documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """One document to index: `body` is a JSON object in UTF-8, `version` as in `triage.schemas.version`."""

    id: str
    index: str
    version: int
    body: bytes


@dataclass
class BulkResult:
    """The result of one write; each document is counted once.

    `conflicts` are documents that the index already had in a newer version, which is success; `conflicted` are their
    positions in the write. `rejected` holds (position, reason) of those that can never be indexed, in order.
    """

    indexed: int = 0
    conflicts: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    conflicted: list[int] = field(default_factory=list)


class Sink(Protocol):
    """An object that stores documents, and keeps the newest version of each."""

    def write(self, documents: Sequence[Document]) -> BulkResult:
        """Store every document unless (index, id) exists with a higher version; an equal version is replaced.

        Blocks until every document is stored or rejected. Documents of the same (index, id) take effect in order.
        Raises Unavailable when the index is unreachable or overloaded: some may be stored by then, and the caller
        writes all of them again, which changes nothing for those. It is IndexUnusable where an index is not as triage
        needs it. Raises AccessDenied if a right is missing.
        """
        ...
