"""Reads the records to fit, evaluate or score a risk on: from the index, or from a file of `triage enrich`."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import parse_rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic import documents
from triage.elastic.aggregations import event_time_range
from triage.errors import ConfigError
from triage.packed import read_unpacked
from triage.schemas.enriched import EnrichedRecord

_PAGE = 1_000


def read_index(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    from_ms: int | None,
    to_ms: int | None,
    most: int,
    progress: Callable[[int], None] = lambda _: None,
) -> list[EnrichedRecord]:
    """Records of the index by event time, from `from_ms` to `to_ms` (exclusive).

    Raises ConfigError if there are more than `most`, Unavailable, AccessDenied, DependencyError.
    """
    query = {"bool": {"filter": event_time_range(from_ms, to_ms)}}
    documents.refresh(client, settings)
    number = documents.count(client, settings, query)
    if number > most:
        raise ConfigError(
            f"the index has {number:,} records of this time, more than --most {most:,}: shorten the time, or raise "
            "--most (a record takes about 5 kB of memory)"
        )
    found: list[EnrichedRecord] = []
    for page in documents.pages(client, settings, query, _PAGE):
        found += [stored.record for stored in page]
        progress(len(found))
    return found


def read_file(path: Path) -> list[EnrichedRecord]:
    """Enriched records of a JSONL file, plain or packed. Raises ConfigError, naming the line."""
    try:
        lines = read_unpacked(path).splitlines()
    except OSError as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    decoder = msgspec.json.Decoder(EnrichedRecord)
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
            parse_rfc3339(record.timestamp)
        except (msgspec.MsgspecError, ValueError) as error:
            fix = "write the file by `triage enrich`"
            raise ConfigError(f"line {number} is not an enriched record: {error}; {fix}", where=str(path)) from error
        found.append(record)
    return found
