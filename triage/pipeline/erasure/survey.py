"""Determines, before an erasure, what it can find: indices, author keys, other sources, earlier requests."""

from dataclasses import dataclass, field

from elasticsearch import Elasticsearch

from triage.config import Settings
from triage.elastic import author_keys, documents
from triage.elastic.completeness import visible_indices
from triage.pipeline.erasure.tombstones import read_erased_authors
from triage.redaction import Redactor
from triage.redaction.author_keys import DEMO_CHECK, key_checks, require_recorded_keys
from triage.topics.scan import TopicScan

RECORDED, UNRECORDED, BEGAN_WITH_DEMO = "as recorded", "not recorded", "recorded with the demo key"


@dataclass
class Survey:
    """Result of `survey`: what an erasure of one author can find, and what limits it.

    `hashes` are the author's hashes under each configured key, and under the demo key if the index was first used with
    it. `keys` says for each key version whether its key is the one that the index recorded. `unknown_versions` counts,
    by key version, documents and corrections whose author was hashed with a key that is not configured; `other_sources`
    counts documents of the same author id under each other source ("" for records without one). `sources` has the most
    frequent sources of the index with their number of documents; `more_sources` is True if there are others. `asked_ms`
    is the time of the last earlier request for this author (None without one), `erased_before` the number of items that
    those requests erased.
    """

    hashes: list[str]
    keys: dict[str, str]
    indices: list[str] = field(default_factory=list)
    unknown_versions: dict[str, int] = field(default_factory=dict)
    other_sources: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    more_sources: bool = False
    asked_ms: int | None = None
    erased_before: int = 0


def survey(
    settings: Settings, client: Elasticsearch, scan: TopicScan, redactor: Redactor, source: str | None, author: str
) -> Survey:
    """Determine what an erasure of `author` of `source` (None: without a source) can find; nothing is changed.

    Raises ConfigError for an author key that is not the one recorded for its version, Unavailable if a part of the
    index cannot be searched, AccessDenied or DependencyError for other errors of Kafka and Elasticsearch.
    """
    elastic, redaction = settings.elasticsearch, settings.redaction
    visible_indices(client, elastic).require_all("forget")
    recorded = author_keys.recorded_checks(client, elastic)
    require_recorded_keys(redaction, recorded)
    configured = key_checks(redaction)
    # Where the index began with the demo key, older hashes of the version may be the demo key's.
    demo = [version for version, check in configured.items() if check != recorded.get(version) == DEMO_CHECK]
    found = Survey(
        [*redactor.author_hashes(source, author), *(redactor.demo_hash(each, source, author) for each in demo)],
        {
            version: BEGAN_WITH_DEMO if version in demo else RECORDED if version in recorded else UNRECORDED
            for version in configured
        },
    )
    found.indices = visible_indices(client, elastic).seen
    documents.refresh(client, elastic)
    for index in (elastic.index_prefix, elastic.corrections(), elastic.conversations()):
        for version, number in author_keys.unknown_versions(client, index, configured).items():
            found.unknown_versions[version] = found.unknown_versions.get(version, 0) + number
    found.sources, found.more_sources = documents.sources(client, elastic)
    _compare_sources(found, settings, client, redactor, source or "", author)
    earlier = read_erased_authors(scan, redactor).earlier_request(found.hashes)
    if earlier is not None:
        found.asked_ms, found.erased_before = earlier.at_ms, earlier.found
    return found


def _compare_sources(
    found: Survey, settings: Settings, client: Elasticsearch, redactor: Redactor, source: str, author: str
) -> None:
    """Count documents of the same author id under each other source of the index."""
    by_hash = {each: name for name in found.sources if name != source for each in redactor.author_hashes(name, author)}
    for each, number in documents.count_authors(client, settings.elasticsearch, by_hash).items():
        found.other_sources[by_hash[each]] = found.other_sources.get(by_hash[each], 0) + number
