"""Checks indices before documents are written to them, because a wrong index can accept documents without an error.

If the index template is missing, Elasticsearch creates the next day's index without alias and with guessed types: its
documents are stored, but no search finds them.
"""

from collections.abc import Iterable, Sequence

from elastic_transport import ApiError
from elasticsearch import Elasticsearch

from triage.clock import Clock, SystemClock
from triage.config import ElasticsearchSettings
from triage.elastic.diff import missing_properties
from triage.elastic.errors import DEPENDENCY, cause, translated
from triage.elastic.index_faults import unusable
from triage.elastic.mapping import JsonObject, enriched_mapping, field_paths
from triage.elastic.naming import read_daily_from, read_offset_versions
from triage.elastic.template import versions_have_offsets
from triage.errors import AccessDenied, ConfigError, IndexUnusable
from triage.logging import get_logger
from triage.sinks.base import BulkResult, Document, Sink
from triage.sinks.elasticsearch import IndexSink

_log = get_logger(__name__)
_AGAIN_S = 300.0
_MAPPING = enriched_mapping({"type": "text"})
_APPLY = "run `triage index apply`"


class CheckedSink:
    """A Sink that checks each index before it writes to it, and creates missing ones from their template.

    An index is checked at most once in five minutes, and after a refused write. Without the privilege
    `view_index_metadata` nothing is checked, which is logged once; if new indices have document versions with offsets,
    a write raises AccessDenied instead.
    """

    def __init__(
        self,
        sink: Sink,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        clock: Clock | None = None,
        without_offsets: set[str] | None = None,
    ) -> None:
        """Create the sink. It adds to `without_offsets` each index whose versions hold the timestamp alone."""
        self._sink = sink
        self._without_offsets = set() if without_offsets is None else without_offsets
        self._client = client
        self._settings = settings
        self._clock = clock or SystemClock()
        self._checked: dict[str, float] = {}
        self._may_check = True

    def write(self, documents: Sequence[Document]) -> BulkResult:
        self._check({document.index for document in documents})
        try:
            return self._sink.write(documents)
        except IndexUnusable:
            self._checked.clear()
            raise

    def _check(self, indices: Iterable[str]) -> None:
        now = self._clock.monotonic()
        for index in sorted(indices):
            if self._may_check and now - self._checked.get(index, now - _AGAIN_S) >= _AGAIN_S:
                try:
                    self._look_at(index)
                except AccessDenied as error:
                    self._go_on_unchecked(error)
                else:
                    self._checked[index] = now
            if not self._may_check:
                self._without_offsets.add(index)

    def _go_on_unchecked(self, error: AccessDenied) -> None:
        """Log that indices are not checked. Raises AccessDenied if new indices need to be: their versions differ."""
        fix = f"grant view_index_metadata on {self._settings.index_prefix}-*"
        if read_offset_versions(self._client, self._settings):
            raise AccessDenied(DEPENDENCY, f"{error}; {fix}: which versions its documents have stands in each index")
        self._may_check = False
        _log.warning("indices_not_checked", error=str(error), fix=fix)

    def _look_at(self, index: str) -> None:
        with translated():
            found = self._client.options(ignore_status=404).indices.get(index=index)
        if found.meta.status == 404:
            self._create(index)
            with translated():
                found = self._client.options(ignore_status=404).indices.get(index=index)
        if found.meta.status == 200 and len(found.body) == 1:
            ((name, state),) = found.body.items()
            require_usable(name, state, self._settings.index_prefix)
            if versions_have_offsets(state):
                self._without_offsets.discard(index)
            else:
                self._without_offsets.add(index)

    def _create(self, index: str) -> None:
        try:
            read_daily_from(self._client, self._settings)
        except ConfigError as error:
            raise IndexUnusable(DEPENDENCY, f"index {index} can't be created: {error}", index) from error
        try:
            self._client.indices.create(index=index)
        except ApiError as error:
            # Another worker may have been faster.
            if cause(error.body)[0] != "resource_already_exists_exception":
                if error.meta.status >= 500 or error.meta.status in {401, 403, 429}:
                    with translated():
                        raise
                raise unusable(error.meta.status, error.body, index) from error


def require_usable(name: str, index: JsonObject, alias: str) -> None:
    """Check that an index of records has the alias `alias` and the fields of triage's mapping.

    `index` is the description that Elasticsearch returns for it. Raises IndexUnusable if not. Fields of another type
    are accepted: they may be able to store the values.
    """
    problems = []
    if alias not in index.get("aliases", {}) and name != alias:
        problems.append(f"it is not behind the alias {alias}, so that no search would find its records")
    mapping = index.get("mappings", {})
    if mapping.get("dynamic") != _MAPPING["dynamic"]:
        problems.append("it guesses the types of fields (its mapping is not strict)")
    missing = missing_properties(mapping.get("properties", {}), _MAPPING["properties"])
    if missing:
        problems.append(f"it lacks {', '.join(path for path, _ in field_paths(missing))}")
    if problems:
        raise IndexUnusable(DEPENDENCY, f"index {name} must not be written to: {'; '.join(problems)}; {_APPLY}", name)


def index_sink(client: Elasticsearch, settings: ElasticsearchSettings) -> CheckedSink:
    """Build the sink that workers and `triage replay` use for the records' indices."""
    without_offsets: set[str] = set()
    sink = IndexSink(client, settings, without_offsets=without_offsets)
    return CheckedSink(sink, client, settings, without_offsets=without_offsets)
