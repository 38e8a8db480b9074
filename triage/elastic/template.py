"""Index templates and the retention policy that triage needs in Elasticsearch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.catalogue_mapping import catalogue_mapping
from triage.elastic.errors import translated
from triage.elastic.knowledge_mapping import case_mapping, evidence_mapping, knowledge_mapping
from triage.elastic.mapping import (
    JsonObject,
    alert_mapping,
    conversation_mapping,
    correction_mapping,
    enriched_mapping,
    field_paths,
)
from triage.elastic.topics_mapping import topics_mapping

# CJK text is indexed as overlapping pairs and as single characters, so that a search for one character works; English
# by stem, without stop words: "not delivered" must stay a phrase. Needs the module analysis-common, which every
# distribution has.
_INDEX_FILTERS = ["cjk_width", "lowercase", "kstem", "triage_cjk"]
_SEARCH_FILTERS = ["cjk_width", "lowercase", "kstem", "cjk_bigram"]
_ANALYSIS: JsonObject = {
    "filter": {"triage_cjk": {"type": "cjk_bigram", "output_unigrams": "true"}},
    "analyzer": {
        "triage_index": {"type": "custom", "tokenizer": "standard", "filter": _INDEX_FILTERS},
        "triage_search": {"type": "custom", "tokenizer": "standard", "filter": _SEARCH_FILTERS},
    },
}
_WITH_OFFSETS = "time and offset"


@dataclass(frozen=True)
class Capabilities:
    """Optional features of the Elasticsearch server.

    `ilm`: it has index lifecycle management; `analysis`: it has the text analysis for Chinese, Japanese, Korean and
    English.
    """

    ilm: bool
    analysis: bool


def probe(client: Elasticsearch) -> Capabilities:
    """Find out which optional features the server has. Raises Unavailable, AccessDenied."""
    with translated():
        analyzed = client.options(ignore_status=400).indices.analyze(
            tokenizer="standard", filter=_SEARCH_FILTERS, text="late 快递"
        )
        # A server without ILM answers 400 or 405; with ILM 200.
        policies = client.options(ignore_status=(400, 404, 405)).perform_request(
            "GET", "/_ilm/policy", headers={"accept": "application/json"}
        )
    return Capabilities(ilm=policies.meta.status == 200, analysis=analyzed.meta.status == 200)


def feedback_template_name(prefix: str) -> str:
    return f"triage.feedback.{prefix}"


def daily_template_name(prefix: str) -> str:
    """Name of the index template and of the ILM policy of daily indices, which only servers with ILM have."""
    return f"triage.feedback-daily.{prefix}"


def alerts_template_name(alerts_index: str) -> str:
    return f"triage.alerts.{alerts_index}"


def corrections_template_name(corrections_index: str) -> str:
    return f"triage.corrections.{corrections_index}"


def versions_have_offsets(template_or_index: JsonObject) -> bool:
    """True if document versions hold the offset (`triage.schemas.version`) in these indices.

    Takes an index, or the part `template` of an index template, as Elasticsearch returns them. An index keeps for ever
    what the template said when it was created.
    """
    meta = template_or_index.get("mappings", {}).get("_meta") or {}
    return meta.get("document_versions") == _WITH_OFFSETS


def conversations_template_name(conversations_index: str) -> str:
    return f"triage.conversations.{conversations_index}"


def knowledge_template_name(knowledge_index: str) -> str:
    return f"triage.knowledge.{knowledge_index}"


def full_text(can: Capabilities) -> tuple[JsonObject, JsonObject]:
    """The definition of full-text fields, and the index's setting `analysis` that it needs ({}: none).

    `can` are the features of the server.
    """
    if not can.analysis:
        return {"type": "text"}, {}
    return {"type": "text", "analyzer": "triage_index", "search_analyzer": "triage_search"}, _ANALYSIS


def index_templates(
    settings: ElasticsearchSettings,
    can: Capabilities,
    daily_from: date,
    author_keys: Mapping[str, str] | None = None,
    *,
    offset_versions: bool = True,
) -> dict[str, JsonObject]:
    """Index templates by name, in the form in which Elasticsearch returns them.

    `can` are the server's features, `daily_from` is the first day with a daily index. `author_keys` are the check
    values of author keys by key version. With `offset_versions` the document versions of new indices hold the offset.
    """
    prefix = settings.index_prefix
    text, analysis = full_text(can)
    index: JsonObject = {"number_of_shards": str(settings.shards), "number_of_replicas": str(settings.replicas)}
    if analysis:
        index["analysis"] = analysis
    # `feedback-*` matches the indices of the prefix `feedback-eu` too: the longer prefix wins.
    priority = 300 + 2 * len(prefix)
    enriched = enriched_mapping(text)
    if offset_versions:
        enriched["_meta"] = {"document_versions": _WITH_OFFSETS}
    feedback: JsonObject = {
        "index_patterns": [f"{prefix}-*"],
        "priority": priority,
        "template": {"settings": {"index": index}, "mappings": enriched, "aliases": {prefix: {}}},
        "_meta": {
            "managed_by": "triage",
            "daily_from": daily_from.isoformat(),
            **({"author_keys": dict(author_keys)} if author_keys else {}),
        },
    }
    found = {feedback_template_name(prefix): feedback}
    if can.ilm:
        policy = daily_template_name(prefix)
        kept = {"index": {**index, "lifecycle": {"name": policy}}}
        found[policy] = {
            "index_patterns": [f"{prefix}-*.*.*"],
            "priority": priority + 1,
            "template": feedback["template"] | {"settings": kept},
            "_meta": {"managed_by": "triage"},
        }
    for template, name, mapping in single_indices(settings):
        found[template] = {
            "index_patterns": [name],
            "priority": 300 + 2 * len(name),
            "template": {"settings": {"index": {**index, "number_of_shards": "1"}}, "mappings": mapping(text)},
            "_meta": {"managed_by": "triage"},
        }
    return found


def single_indices(settings: ElasticsearchSettings) -> list[tuple[str, str, Callable[[JsonObject], JsonObject]]]:
    """The indices that are not split by day, such as those of alerts, corrections and conversations.

    Each is (name of its template, name of the index, function that makes the mapping from the definition of full-text
    fields).
    """
    corrections = settings.corrections()
    return [
        (corrections_template_name(corrections), corrections, correction_mapping),
        (conversations_template_name(settings.conversations()), settings.conversations(), conversation_mapping),
        (alerts_template_name(settings.alerts_index), settings.alerts_index, alert_mapping),
        (f"triage.answers.{settings.answers()}", settings.answers(), evidence_mapping),
        (f"triage.cases.{settings.cases()}", settings.cases(), case_mapping),
        (f"triage.catalogue.{settings.catalogue()}", settings.catalogue(), catalogue_mapping),
        (f"triage.topics.{settings.topics()}", settings.topics(), topics_mapping),
        (knowledge_template_name(settings.knowledge()), settings.knowledge(), knowledge_mapping),
    ]


def without_analyzers(mapping: JsonObject) -> JsonObject:
    """Copy of a mapping without its `analyzer` settings, for an index that lacks triage's analyzers."""
    return {
        name: without_analyzers(inner) if isinstance(inner, dict) else inner
        for name, inner in mapping.items()
        if name not in {"analyzer", "search_analyzer"}
    }


def retention_policy(settings: ElasticsearchSettings) -> JsonObject:
    """ILM policy of the daily indices: deleted `retention_days` after creation; yearly indices have no policy."""
    return {
        "phases": {
            "hot": {"min_age": "0ms", "actions": {}},
            "delete": {
                "min_age": f"{settings.retention_days}d",
                "actions": {"delete": {"delete_searchable_snapshot": True}},
            },
        }
    }


def missing_fields(template: Mapping[str, Any]) -> list[str]:
    """Fields of the enriched record that an index template, as Elasticsearch returns it, lacks."""
    existing = dict(field_paths(template.get("template", {}).get("mappings", {}).get("properties", {})))
    return [path for path, _ in field_paths(enriched_mapping({"type": "text"})["properties"]) if path not in existing]
