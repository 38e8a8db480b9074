"""Writes documents to Elasticsearch by `_bulk`, with external versions, so that a repeated write changes nothing.

A version conflict is a success: the index has that version or a newer one. A document is rejected permanently only if
the document itself can be the cause (`triage.elastic.index_faults`).
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec
from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch

from triage.clock import Clock, SystemClock
from triage.config import ElasticsearchSettings
from triage.elastic.documents import current
from triage.elastic.errors import DEPENDENCY, cause, is_overload, is_state, translate
from triage.elastic.index_faults import Suspicion, field_difference, mapping_of, suspicion, unusable
from triage.elastic.mapping import JsonObject, enriched_mapping
from triage.errors import AccessDenied, Unavailable
from triage.logging import get_logger
from triage.schemas.version import after_wrap, may_follow_wrap, without_offset
from triage.sinks.base import BulkResult, Document

_log = get_logger(__name__)
_NDJSON = {"content-type": "application/x-ndjson", "accept": "application/json"}
# Requests are not made smaller than this; a cluster that refuses so little is unavailable.
_MIN_BYTES = 64 * 1024
_BACKOFF_S = 0.2
_MAPPING = enriched_mapping({"type": "text"})


class _Outcome(Enum):
    INDEXED = 1
    CONFLICT = 2


# The outcome of a document, or the reason why it is rejected for good.
_Known = _Outcome | str


@dataclass(frozen=True)
class _Refusal:
    """A document that was refused: `status` and `error` of Elasticsearch, what may be wrong with it, and the reason."""

    status: int
    error: Any
    suspicion: Suspicion | None
    reason: str


@dataclass
class _Pass:
    """The outcomes of one pass, by position of the document.

    `known` are final, `overloaded` can be sent again soon; `refused` are neither, until their index was looked at.
    """

    known: dict[int, _Known]
    overloaded: dict[int, str] = field(default_factory=dict)
    refused: dict[int, _Refusal] = field(default_factory=dict)


class IndexSink:
    """A Sink that writes to Elasticsearch. Only one thread may use it.

    A request holds at most `bulk_bytes`. The status 429 halves this limit, and eight consecutive full requests that
    succeed raise it by an eighth of `bulk_bytes`. Documents refused because of overload are retried `bulk_retries`
    times within a write. If the index is the cause of a refusal, the write raises IndexUnusable after all documents
    were sent.
    """

    def __init__(
        self,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        clock: Clock | None = None,
        without_offsets: Container[str] = (),
    ) -> None:
        """Create the sink; `without_offsets` are the indices whose document versions hold the timestamp alone."""
        self._without_offsets = without_offsets
        self._client = client
        self._clock = clock or SystemClock()
        self._retries = settings.bulk_retries
        self._max_bytes = settings.bulk_bytes
        self.limit_bytes = settings.bulk_bytes
        self._full_successes = 0
        # Shorter than the client's own timeout, so that the server can report the missing shard.
        self._timeout = f"{max(1, int(settings.request_timeout_s * 800))}ms"

    def write(self, documents: Sequence[Document]) -> BulkResult:
        lines = [self._line(document) for document in documents]
        known: dict[int, _Known] = {}
        self._write(list(range(len(documents))), documents, lines, known)
        self._write_after_wrap(documents, lines, known)
        return _result(known)

    def _write(
        self, waiting: list[int], documents: Sequence[Document], lines: list[bytes], known: dict[int, _Known]
    ) -> None:
        """Send the documents at the positions `waiting` until each is stored or rejected, and add that to `known`."""
        for attempt in range(self._retries + 1):
            outcome = self._pass(waiting, lines, known)
            if outcome.refused:
                self._decide(outcome.refused, documents, known)
            if not outcome.overloaded:
                return
            waiting = _with_successors(documents, outcome.overloaded)
            if attempt < self._retries:
                self._clock.sleep(_BACKOFF_S * 2**attempt)
        refused = outcome.overloaded
        raise Unavailable(
            DEPENDENCY,
            f"refused {len(refused)} of {len(documents)} documents {self._retries + 1} times, the first with "
            f"{next(iter(refused.values()))}",
        )

    def _write_after_wrap(self, documents: Sequence[Document], lines: list[bytes], known: dict[int, _Known]) -> None:
        """Write those again that were refused only because the bits of the offset in versions have started again."""
        refused = {
            position: documents[position]
            for position, outcome in known.items()
            if outcome is _Outcome.CONFLICT and may_follow_wrap(documents[position].version)
        }
        stored = current(self._client, sorted({(each.index, each.id) for each in refused.values()}))
        for position, document in sorted(refused.items()):
            version, _ = stored.get((document.index, document.id), (0, {}))
            higher = None if document.index in self._without_offsets else after_wrap(document.version, version)
            if higher is not None:
                lines[position] = self._line(msgspec.structs.replace(document, version=higher))
                self._write([position], documents, lines, known)

    def _line(self, document: Document) -> bytes:
        version = document.version
        if document.index in self._without_offsets:
            version = without_offset(version)
        action = {
            "index": {
                "_index": document.index,
                "_id": document.id,
                # Kafka gives -1 for a missing timestamp; as a version it would make the whole request fail.
                "version": max(0, version),
                "version_type": "external_gte",
            }
        }
        # In JSON, line feeds occur only as white space between tokens.
        return b"%b\n%b\n" % (msgspec.json.encode(action), document.body.replace(b"\n", b" "))

    def _pass(self, positions: list[int], lines: list[bytes], known: dict[int, _Known]) -> _Pass:
        """Send each document once; `lines` has the lines of all, the outcomes are added to `known`, by position."""
        outcome = _Pass(known)
        overloaded = outcome.overloaded
        rest = positions
        while rest:
            chunk = self._chunk(rest, lines)
            rest = rest[len(chunk) :]
            self._send(chunk, lines, outcome)
            if all(position in overloaded for position in chunk):
                # Everything was refused: sending the rest would only add to the overload.
                overloaded.update(dict.fromkeys(rest, overloaded[chunk[0]]))
                rest = []
            size = sum(len(lines[position]) for position in chunk)
            if any(overloaded.get(position, "").startswith("429 ") for position in chunk):
                self._shrink(size)
            elif size * 2 > self.limit_bytes:
                self._grow()
        return outcome

    def _send(self, chunk: list[int], lines: list[bytes], outcome: _Pass) -> None:
        try:
            items = self._bulk([lines[position] for position in chunk])
        except TransportError as error:
            raise translate(error) from error
        except ApiError as error:
            status, (kind, reason) = error.meta.status, cause(error.body)
            if status < 500 and is_overload(status, kind):
                outcome.overloaded.update(dict.fromkeys(chunk, f"{status} {kind}: {reason}"))
            elif is_state(status, kind, reason):
                raise unusable(status, error.body, _index_of(lines[chunk[0]])) from error
            elif not _may_be_one_document(status, kind):
                raise translate(error) from error
            elif len(chunk) == 1:
                self._refuse(chunk[0], status, error.body, len(lines[chunk[0]]), outcome)
            else:
                # One document makes the request fail, or the request is too large: halve it until the document is
                # alone.
                middle = len(chunk) // 2
                self._send(chunk[:middle], lines, outcome)
                self._send(chunk[middle:], lines, outcome)
            return
        for position, item in zip(chunk, items, strict=True):
            self._sort(position, item, len(lines[position]), outcome)

    def _sort(self, position: int, item: Any, size_bytes: int, outcome: _Pass) -> None:
        status, error = item["status"], item.get("error")
        if status in {200, 201}:
            outcome.known[position] = _Outcome.INDEXED
            return
        kind, reason = cause(error)
        if status == 409 and kind == "version_conflict_engine_exception":
            outcome.known[position] = _Outcome.CONFLICT
        elif is_overload(status, kind):
            outcome.overloaded[position] = f"{status} {kind}: {reason}"
        elif status == 401 or (status == 403 and kind == "security_exception"):
            raise AccessDenied(DEPENDENCY, f"{status} {kind}: {reason}; the worker needs create_index and index")
        else:
            self._refuse(position, status, error, size_bytes, outcome)

    @staticmethod
    def _refuse(position: int, status: int, error: Any, size_bytes: int, outcome: _Pass) -> None:
        reason = _reason(status, *cause(error))
        outcome.refused[position] = _Refusal(status, error, suspicion(status, error, size_bytes), reason)

    def _decide(self, refused: dict[int, _Refusal], documents: Sequence[Document], known: dict[int, _Known]) -> None:
        """Add those refused for good to `known`. Raises IndexUnusable if an index is at fault for one of them."""
        mappings: dict[str, JsonObject] = {}
        for position, refusal in refused.items():
            index = documents[position].index
            if refusal.suspicion is None:
                raise unusable(refusal.status, refusal.error, index)
            if (path := refusal.suspicion.field) is not None:
                if index not in mappings:
                    mappings[index] = mapping_of(self._client, index)
                if difference := field_difference(path, mappings[index], _MAPPING):
                    raise unusable(refusal.status, refusal.error, index, difference)
            known[position] = refusal.reason

    def _bulk(self, lines: list[bytes]) -> list[Any]:
        response = self._client.perform_request(
            "POST",
            "/_bulk",
            params={"timeout": self._timeout, "filter_path": "errors,items.*.status,items.*.error"},
            headers=_NDJSON,
            body=b"".join(lines),
            endpoint_id="bulk",
        )
        return [item["index"] for item in response.body["items"]]

    def _chunk(self, positions: list[int], lines: list[bytes]) -> list[int]:
        """Return the first positions whose documents fit into one request, at least one."""
        size, count = 0, 0
        for position in positions:
            size += len(lines[position])
            if count and size > self.limit_bytes:
                break
            count += 1
        return positions[:count]

    def _grow(self) -> None:
        self._full_successes += 1
        if self._full_successes >= 8:
            self._full_successes = 0
            self.limit_bytes = min(self._max_bytes, self.limit_bytes + self._max_bytes // 8)

    def _shrink(self, refused_bytes: int) -> None:
        self._full_successes = 0
        # Half of what was refused: the request may have been far below the limit.
        smaller = max(min(_MIN_BYTES, self._max_bytes), min(self.limit_bytes, refused_bytes) // 2)
        if smaller < self.limit_bytes:
            self.limit_bytes = smaller
            _log.warning("bulk_size_halved", limit_bytes=smaller)


def _index_of(line: bytes) -> str:
    return str(msgspec.json.decode(line.partition(b"\n")[0])["index"]["_index"])


def _with_successors(documents: Sequence[Document], refused: dict[int, str]) -> list[int]:
    """Return the positions of the refused documents and of every later one of the same id.

    They are sent again together, because of two equal versions the later must be kept.
    """
    keys: set[tuple[str, str]] = set()

    def positions() -> Iterator[int]:
        for position, document in enumerate(documents):
            key = (document.index, document.id)
            if position in refused:
                keys.add(key)
            if key in keys:
                yield position

    return list(positions())


def _may_be_one_document(status: int, kind: str) -> bool:
    return status == 413 or (status == 400 and kind.endswith("_exception") and kind != "media_type_header_exception")


def _reason(status: int, kind: str, reason: str) -> str:
    if status == 413:
        return "document_too_large: larger than http.max_content_length"
    return f"{kind}: {reason}" if reason else kind


def _result(known: dict[int, _Known]) -> BulkResult:
    outcomes = list(known.values())
    rejected = [(position, reason) for position, reason in sorted(known.items()) if isinstance(reason, str)]
    conflicted = [position for position, outcome in sorted(known.items()) if outcome is _Outcome.CONFLICT]
    return BulkResult(outcomes.count(_Outcome.INDEXED), len(conflicted), rejected, conflicted)
