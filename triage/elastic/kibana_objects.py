"""Builds Kibana's saved objects from the settings: data views, searches, charts and dashboards."""

from collections.abc import Iterable, Sequence

from triage.config import ElasticsearchSettings
from triage.elastic.kibana_boards import NEGATIVE, intents_and_products, overview, quality, spikes
from triage.elastic.kibana_dashboard import Ids
from triage.elastic.kibana_lens import compact, kql, reference, saved_object
from triage.elastic.mapping import JsonObject


def saved_objects(settings: ElasticsearchSettings) -> list[JsonObject]:
    """All saved objects that triage imports into Kibana, each before those that refer to it.

    Ids contain the index prefix: deployments can share a Kibana.
    """
    prefix = settings.index_prefix
    ids = Ids(f"triage-{prefix}")
    feedback = _data_view(ids("data"), f"{prefix}", "Feedback", "@timestamp", settings)
    alerts = _data_view(ids("alerts-data"), settings.alerts_index, "Alerts", "started_at", settings)
    boards = [
        *overview(ids, feedback),
        *intents_and_products(ids, feedback),
        *spikes(ids, feedback, alerts),
        *quality(ids, feedback),
    ]
    return [feedback, alerts, *_searches(ids, feedback, alerts), *boards]


def ndjson(objects: Iterable[JsonObject]) -> bytes:
    """Encode saved objects as the NDJSON file that Kibana imports."""
    return "".join(f"{compact(item)}\n" for item in objects).encode()


def _data_view(name: str, index: str, title: str, time: str, settings: ElasticsearchSettings) -> JsonObject:
    shown = title if settings.index_prefix == "feedback" else f"{title} ({index})"
    percent = {"id": "percent", "params": {"pattern": "0%"}}
    confidences = {"intent.confidence": percent, "sentiment.confidence": percent}
    attributes = {
        "title": index,
        "name": f"triage: {shown}",
        "timeFieldName": time,
        "fieldAttrs": "{}",
        "runtimeFieldMap": "{}",
        "sourceFilters": "[]",
        "fieldFormatMap": compact(confidences if time == "@timestamp" else {}),
    }
    return saved_object("index-pattern", name, attributes)


def _search(
    name: str, title: str, view: JsonObject, columns: Sequence[str], query: str, sort: str, description: str
) -> JsonObject:
    source = "kibanaSavedObjectMeta.searchSourceJSON.index"
    attributes = {
        "title": title,
        "description": description,
        "columns": list(columns),
        "sort": [[sort, "desc"]],
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": compact({"query": kql(query), "filter": [], "indexRefName": source})
        },
    }
    return saved_object("search", name, attributes, [reference("index-pattern", view["id"], source)])


def _searches(ids: Ids, feedback: JsonObject, alerts: JsonObject) -> list[JsonObject]:
    read = ["channel", "intent.label", "severity.level", "brand", "product", "text"]
    return [
        _search(ids("negative"), "triage: negative feedback", feedback, read, NEGATIVE, "@timestamp",
                "Latest negative records, with intents and entities"),
        _search(ids("urgent"), "triage: urgent feedback", feedback, ["route.queue", "severity.rules", *read],
                "severity.level: critical or severity.level: high", "@timestamp",
                "High and critical severity, with the rules that fired"),
        _search(ids("unsure"), "triage: to be reviewed", feedback,
                ["intent.label", "intent.confidence", "sentiment.label", "sentiment.confidence", "text"],
                "flags: low_confidence", "@timestamp", "Records with low confidence"),
        _search(ids("alerts"), "triage: alerts", alerts,
                ["status", "state", "severity", "title", "negative", "expected", "peak_negative", "ended_at"],
                "", "started_at", "All alerts, the latest first"),
    ]  # fmt: skip
