"""Determines which author keys made the author hashes in the index (keyed hashes of author ids).

The index template stores a check value of each key; each hash names the version of its key.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import count, run_search
from triage.elastic.template import feedback_template_name
from triage.errors import ConfigError

META = "author_keys"
"""Field of the template's `_meta`: check value of the author key by version."""
UNREADABLE = "?"
"""Stands for the version of hashes that name none."""
_VERSION = re.compile(r"v([a-z0-9]{1,8}):")
_MOST_VERSIONS = 50


def recorded_checks(client: Elasticsearch, settings: ElasticsearchSettings) -> dict[str, str]:
    """Check value of each author key, by key version, that `triage index apply` recorded in the index template.

    Empty without a template. Raises Unavailable, AccessDenied, DependencyError, as every function here that sends a
    request.
    """
    name = feedback_template_name(settings.index_prefix)
    with translated():
        response = client.options(ignore_status=404).indices.get_index_template(name=name)
    found = response.body.get("index_templates") or [] if response.meta.status == 200 else []
    return checks_of(found[0]["index_template"]) if found else {}


def checks_of(template: Mapping[str, Any] | None) -> dict[str, str]:
    """Check value of each author key, by key version, from an index template as Elasticsearch returns it.

    Empty if `template` is None or records no check values.
    """
    recorded = ((template or {}).get("_meta") or {}).get(META)
    return {str(version): str(check) for version, check in recorded.items()} if isinstance(recorded, dict) else {}


def merged_checks(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    recorded: Mapping[str, str],
    own: Mapping[str, str],
    demo_check: str,
) -> dict[str, str]:
    """Check values of author keys by key version: the `recorded` ones, updated by those of the configured keys (`own`).

    `recorded` is from the index template. A value there is replaced only while no document has a hash of its version;
    otherwise a different key raises ConfigError. The demo key (check value `demo_check`), which is used if no key is
    configured, is ignored without an error.
    """
    result = dict(recorded)
    for version, check in own.items():
        if recorded.get(version, check) == check:
            result[version] = check
        elif check != demo_check:
            number = count_hashes(client, settings.index_prefix, version)
            if number:
                raise ConfigError(
                    f"the author key of version {version} is not the one that made the {number:,} author hashes of "
                    f"that version in {settings.index_prefix} (check value {check}, the index has "
                    f"{recorded[version]}): set that key, or give the new one a new redaction.author_key_version and "
                    "put the former one into redaction.old_author_keys"
                )
            result[version] = check
    return result


def count_hashes(client: Elasticsearch, index: str, version: str) -> int:
    """Number of documents whose author hash was made with this version of the author key."""
    query = {"bool": {"filter": [_prefix(version)]}}
    return count(client, index, query)


def unknown_versions(client: Elasticsearch, index: str, known: Iterable[str]) -> dict[str, int]:
    """Number of documents by the key version of their author hash, for key versions that are not in `known`.

    At most 50 versions are returned. Hashes that name no version are counted under `UNREADABLE`.
    """
    found: dict[str, int] = {}
    known = list(known)
    while len(found) < _MOST_VERSIONS:
        query: JsonObject = {
            "bool": {
                "filter": [{"exists": {"field": "author_id"}}],
                "must_not": [_prefix(version) for version in (*known, *found)],
            }
        }
        body = run_search(client, index, query=query, size=1, source={"includes": ["author_id"]}, track_total_hits=True)
        hits = body["hits"]["hits"]
        if not hits:
            break
        version = version_of(str(hits[0]["_source"].get("author_id")))
        if version == UNREADABLE or version in found:
            found[UNREADABLE] = int(body["hits"]["total"]["value"])
            break
        found[version] = count_hashes(client, index, version)
    return found


def version_of(author: str) -> str:
    """Version of the author key that made the hash `author` (`1` in `v1:...`); `UNREADABLE` if it names none."""
    match = _VERSION.match(author)
    return match[1] if match else UNREADABLE


def _prefix(version: str) -> JsonObject:
    return {"prefix": {"author_id": f"v{version}:"}}
