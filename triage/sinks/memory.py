"""A sink in memory that behaves like the index, for tests and for benchmarks without Elasticsearch."""

from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from triage.errors import Unavailable
from triage.sinks.base import BulkResult, Document


class Stored(NamedTuple):
    version: int
    body: bytes


class MemorySink:
    """A Sink that keeps documents in memory, in `documents` by (index, id).

    With `keep=False` bodies are neither checked nor kept. `outage(n)` makes the next `n` writes store the first half of
    their documents and then raise Unavailable, like a cluster that fails during a write.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.documents: dict[tuple[str, str], Stored] = {}
        self.writes = 0
        self._keep = keep
        self._outages = 0
        self._lock = Lock()

    def write(self, documents: Sequence[Document]) -> BulkResult:
        with self._lock:
            self.writes += 1
            if self._outages:
                self._outages -= 1
                self._store(documents[: len(documents) // 2])
                raise Unavailable("memory index", "outage")
            return self._store(documents)

    def outage(self, writes: int) -> None:
        self._outages = writes

    def get(self, index: str, document_id: str) -> dict[str, Any] | None:
        """Return the decoded body of a document; None if it is not stored."""
        stored = self.documents.get((index, document_id))
        return None if stored is None else msgspec.json.decode(stored.body, type=dict[str, Any])

    def _store(self, documents: Sequence[Document]) -> BulkResult:
        result = BulkResult()
        for position, document in enumerate(documents):
            if self._keep:
                try:
                    msgspec.json.decode(document.body, type=dict[str, msgspec.Raw])
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    result.rejected.append((position, f"document_parsing_exception: {error}"))
                    continue
            key = (document.index, document.id)
            before = self.documents.get(key)
            if before is not None and before.version > document.version:
                result.conflicts += 1
                result.conflicted.append(position)
                continue
            self.documents[key] = Stored(document.version, document.body if self._keep else b"")
            result.indexed += 1
        return result
