"""The interface of a sink: an object that stores documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec


class Document(msgspec.Struct, frozen=True):
    """One document to index: `body` is a JSON object in UTF-8, `version` is defined in `triage.schemas.version`."""

    id: str
    index: str
    version: int
    body: bytes


@dataclass
class BulkResult:
    """The result of one write; each document is counted once.

    `conflicts` counts documents that the index already had in a newer version, which is a success; `conflicted` are
    their positions in the write. `rejected` has (position, reason) of documents that can never be indexed, in order.
    """

    indexed: int = 0
    conflicts: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    conflicted: list[int] = field(default_factory=list)


class Sink(Protocol):
    """Stores documents, and keeps the newest version of each."""

    def write(self, documents: Sequence[Document]) -> BulkResult:
        """Store every document unless (index, id) exists with a higher version; an equal version is replaced.

        Blocks until every document is stored or rejected. Documents of the same (index, id) take effect in order.
        Raises Unavailable if the index is unreachable or overloaded: some documents may be stored, and the caller
        writes all of them again, which does not change those. Raises its subclass IndexUnusable if an index is not in
        the state that triage needs, AccessDenied if a privilege is missing.
        """
        ...
