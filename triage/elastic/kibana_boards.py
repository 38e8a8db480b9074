"""Four Kibana dashboards: overview, intents and products, spikes, data quality."""

from triage.elastic.kibana_dashboard import Ids, Panel, dashboard
from triage.elastic.kibana_lens import (
    average,
    count,
    heatmap,
    lens,
    maximum,
    metric,
    over_time,
    table,
    terms,
    total,
    xy,
)
from triage.elastic.mapping import JsonObject

NEGATIVE = "sentiment.label: negative"


def overview(ids: Ids, feedback: JsonObject) -> list[JsonObject]:
    view, latest = feedback["id"], ids("negative")
    by_sentiment = {
        "time": over_time("@timestamp"),
        "value": count(),
        "split": terms("sentiment.label", "Sentiment", 3),
    }
    panels = [
        Panel(lens(ids("records"), "Records", view, metric({"value": count()})), 12, 7),
        Panel(lens(ids("negatives"), "Negative records", view, metric({"value": count("Negative", NEGATIVE)})), 12, 7),
        Panel(lens(ids("score"), "Mean sentiment, from -1 to 1", view,
                   metric({"value": average("sentiment.score", "Sentiment")})), 12, 7),
        Panel(lens(ids("critical"), "High and critical", view,
                   metric({"value": count("Urgent", "severity.level: high or severity.level: critical")})), 12, 7),
        Panel(lens(ids("sentiment-over-time"), "Sentiment over time", view,
                   xy(by_sentiment, "bar_stacked", "time", ["value"], "split")), 32, 14),
        Panel(lens(ids("channels"), "Sentiment by channel", view,
                   xy({"channel": terms("channel", "Channel", 5), "value": count(),
                       "split": terms("sentiment.label", "Sentiment", 3)},
                      "bar_percentage_stacked", "channel", ["value"], "split")), 16, 14),
        Panel(lens(ids("top-intents"), "Negative feedback by intent", view,
                   xy({"intent": terms("intent.label", "Intent", 15), "value": count()},
                      "bar_horizontal_stacked", "intent", ["value"]), where=NEGATIVE), 16, 14),
        Panel(lens(ids("queues"), "Queues over time", view,
                   xy({"time": over_time("@timestamp"), "value": count(), "split": terms("route.queue", "Queue", 8)},
                      "area_stacked", "time", ["value"], "split")), 16, 14),
        Panel(lens(ids("regions"), "Regions", view,
                   table({"region": terms("region", "Region", 20), "value": count(),
                          "negative": count("Negative", NEGATIVE)})), 16, 14),
        Panel({"type": "search", "id": latest}, 48, 18),
    ]  # fmt: skip
    return dashboard(
        ids("overview"), "triage: overview", "Volume, sentiment and routing of feedback", panels,
        [(view, "channel", "Channel"), (view, "brand", "Brand"), (view, "region", "Region"),
         (view, "language", "Language")],
    )  # fmt: skip


def intents_and_products(ids: Ids, feedback: JsonObject) -> list[JsonObject]:
    view = feedback["id"]
    panels = [
        Panel(lens(ids("intent-product"), "Negative records by product and intent", view,
                   heatmap({"product": terms("product", "Product", 15), "intent": terms("intent.label", "Intent", 15),
                            "value": count()}, "intent", "product"), where=NEGATIVE), 48, 18),
        Panel(lens(ids("products-over-time"), "Negative records by product over time", view,
                   xy({"time": over_time("@timestamp"), "value": count(), "split": terms("product", "Product", 8)},
                      "line", "time", ["value"], "split"), where=NEGATIVE), 24, 14),
        Panel(lens(ids("intents-over-time"), "Negative records by intent over time", view,
                   xy({"time": over_time("@timestamp"), "value": count(), "split": terms("intent.label", "Intent", 8)},
                      "line", "time", ["value"], "split"), where=NEGATIVE), 24, 14),
        Panel(lens(ids("aspects"), "Aspects, positive and negative", view,
                   xy({"aspect": terms("aspects.pair", "Aspect", 20), "value": count()},
                      "bar_horizontal_stacked", "aspect", ["value"])), 16, 16),
        Panel(lens(ids("entities"), "Entities in negative feedback", view,
                   table({"entity": terms("entities.text", "Named", 25), "value": count()}), where=NEGATIVE), 16, 16),
        Panel(lens(ids("brands"), "Brands", view,
                   table({"brand": terms("brand", "Brand", 25), "value": count(),
                          "negative": count("Negative", NEGATIVE),
                          "score": average("sentiment.score", "Mean sentiment"),
                          "rating": average("rating", "Mean rating", 1)})), 16, 16),
        Panel({"type": "search", "id": ids("negative")}, 48, 18),
    ]  # fmt: skip
    return dashboard(
        ids("products"), "triage: complaints by intent and product", "Complaints by product and intent",
        panels, [(view, "product", "Product"), (view, "intent.label", "Intent"), (view, "brand", "Brand")],
    )  # fmt: skip


def spikes(ids: Ids, feedback: JsonObject, alerts: JsonObject) -> list[JsonObject]:
    view = alerts["id"]
    panels = [
        Panel(lens(ids("alerts-firing"), "Firing now", view,
                   metric({"value": count("Alerts", "status: firing")})), 12, 8),
        Panel(lens(ids("alerts-paged"), "Paged", view, metric({"value": count("Alerts", "not paged: false")})), 12, 8),
        Panel(lens(ids("alerts-flapping"), "Flapping", view,
                   metric({"value": count("Alerts", "flapping: true")})), 12, 8),
        Panel(lens(ids("alerts-late"), "Late records", view,
                   metric({"value": total("late_records", "Records")})), 12, 8),
        Panel(lens(ids("negatives-over-time"), "Negative records by channel", feedback["id"],
                   xy({"time": over_time("@timestamp"), "value": count(), "split": terms("channel", "Channel", 5)},
                      "bar_stacked", "time", ["value"], "split"), where=NEGATIVE), 48, 12),
        Panel(lens(ids("alerts-over-time"), "Alerts by rule", view,
                   xy({"time": over_time("started_at"), "value": count("Alerts"), "split": terms("rule", "Rule", 10)},
                      "bar_stacked", "time", ["value"], "split")), 24, 12),
        Panel(lens(ids("alerts-keys"), "Keys with most alerts", view,
                   table({"key": terms("key", "Key", 25), "value": count("Alerts"),
                          "peak": maximum("peak_negative", "Peak"),
                          "expected": maximum("peak_expected", "Expected at the peak")})), 24, 12),
        Panel({"type": "search", "id": ids("alerts")}, 48, 18),
    ]  # fmt: skip
    return dashboard(
        ids("spikes"), "triage: spikes", "Alerts of negative feedback, and the records around them", panels,
        [(view, "rule", "Rule"), (view, "severity", "Severity"), (view, "status", "Status")],
    )  # fmt: skip


def quality(ids: Ids, feedback: JsonObject) -> list[JsonObject]:
    view = feedback["id"]
    panels = [
        Panel(lens(ids("flags"), "Flags over time", view,
                   xy({"time": over_time("@timestamp"), "value": count(), "split": terms("flags", "Flag", 8)},
                      "bar_stacked", "time", ["value"], "split")), 24, 14),
        Panel(lens(ids("confidence"), "Mean confidence over time", view,
                   xy({"time": over_time("@timestamp"), "value": average("intent.confidence", "Intent"),
                       "sentiment": average("sentiment.confidence", "Sentiment")},
                      "line", "time", ["value", "sentiment"])), 24, 14),
        Panel(lens(ids("languages"), "Languages", view,
                   table({"language": terms("language", "Language", 15), "value": count(),
                          "unsure": count("Low confidence", "flags: low_confidence")})), 16, 14),
        Panel(lens(ids("models"), "Records by model", view,
                   xy({"time": over_time("@timestamp"), "value": count(),
                       "split": terms("versions.model", "Model", 5)},
                      "bar_stacked", "time", ["value"], "split")), 16, 14),
        Panel(lens(ids("rules"), "Records by rules", view,
                   xy({"time": over_time("@timestamp"), "value": count(),
                       "split": terms("versions.rules", "Rules", 5)},
                      "bar_stacked", "time", ["value"], "split")), 16, 14),
        Panel(lens(ids("sources"), "Sources", view,
                   table({"source": terms("source", "Source", 25), "value": count(),
                          "unsure": count("Low confidence", "flags: low_confidence"),
                          "truncated": count("Truncated", "flags: truncated"),
                          "foreign": count("Unknown language", "flags: unknown_language")})), 24, 14),
        Panel(lens(ids("intents-unsure"), "Intents with low confidence", view,
                   table({"intent": terms("intent.label", "Intent", 15), "value": count(),
                          "confidence": average("intent.confidence", "Mean confidence")}),
                   where="flags: low_confidence"), 24, 14),
        Panel({"type": "search", "id": ids("unsure")}, 48, 18),
    ]  # fmt: skip
    return dashboard(
        ids("quality"), "triage: data quality", "Flags, confidence, languages, and versions of model and rules", panels,
        [(view, "source", "Source"), (view, "language", "Language"), (view, "versions.model", "Model")],
    )  # fmt: skip
