"""Prometheus metrics of all triage processes; docs/reference/metrics.md is generated from them."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from triage import __version__

_SHARES = tuple(step / 20 for step in range(1, 20))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_MINUTES = (5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400)
LONGEST_LATENCY_S = _SECONDS[-1]


class Metrics:
    """The metrics of one process, in their own registry: several workers in one Python process stay separate."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:  # noqa: PLR0915 - one line per metric
        self.registry = registry or CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram

        self.build_info = gauge("build_info", "Always 1; the label is the version of triage", ("version",))
        self.build_info.labels(__version__).set(1)
        # Records: consumed = enriched + dead-lettered, once the lag is zero.
        self.records_consumed = counter("records_consumed", "Raw records read", ("channel",))
        self.records_enriched = counter("records_enriched", "Records enriched, indexed and committed", ("channel",))
        self.records_dead_lettered = counter(
            "records_dead_lettered", "Records that became dead letters", ("stage", "reason")
        )
        self.records_forgotten = counter("records_forgotten", "Records skipped because their author was forgotten", ())
        self.unknown_fields = counter("unknown_fields", "Raw fields outside the schema, stored in attributes", ())
        self.times_implausible = counter(
            "times_implausible", "Records whose event time was ahead of the broker's timestamp", ("channel",)
        )
        # Time and batches.
        self.stage_seconds = histogram("stage_seconds", "Time of a batch in a stage", ("stage",), _SECONDS)
        self.record_latency_seconds = histogram(
            "record_latency_seconds", "Time from the broker's timestamp to the commit", (), _SECONDS
        )
        self.batch_records = histogram("batch_records", "Records per transaction", (), (1, 4, 16, 64, 256, 1024, 4096))
        self.batches_in_flight = gauge("batches_in_flight", "Batches that were read and are not committed yet", ())
        self.batch_fill_ratio = gauge(
            "batch_fill_ratio", "Share of tokens that are text, not padding, in the last model call", ()
        )
        self.consumer_lag = gauge(
            "consumer_lag", "Records up to the end of the partition that are not processed yet", ("topic", "partition")
        )
        self.last_commit_timestamp_seconds = gauge(
            "last_commit_timestamp_seconds", "Unix time of the last committed transaction", ()
        )
        self.seconds_since_progress = gauge(
            "seconds_since_progress", "Time since the main loop, or the work that it waits for, last made progress", ()
        )
        # Problems.
        self.retries = counter("retries", "Attempts retried because a dependency was unavailable", ("dependency",))
        self.paused = gauge("paused", "1 while reading is paused because a dependency is unavailable", ())
        self.fenced = counter("fenced", "Transactions refused because another worker took over", ())
        self.records_expired = counter(
            "records_expired", "Offsets that retention deleted before a worker read them", ("topic",)
        )
        self.open_transaction_records = gauge(
            "open_transaction_records",
            "Records that can't be read before a producer's open transaction ends",
            ("topic", "partition"),
        )
        self.unreadable_batch_offset = gauge(
            "unreadable_batch_offset",
            "Offset of a batch that can't be read, at which its partition waits",
            ("topic", "partition"),
        )
        self.index_unusable = gauge(
            "index_unusable", "1 while documents wait because their index, or its mapping, must be mended", ("index",)
        )
        self.index_conflicts = counter(
            "index_conflicts", "Documents of which Elasticsearch already had this or a newer version", ()
        )
        # Labels.
        self.low_confidence = counter("low_confidence", "Records flagged low_confidence", ())
        self.intents = counter("intents", "Records by intent", ("intent",))
        self.sentiments = counter("sentiments", "Records by sentiment", ("sentiment",))
        self.confidence = histogram("confidence", "Probability of the assigned label, by head", ("head",), _SHARES)
        # Serving model and rules, and the shadow model.
        self.model_info = gauge(
            "model_info",
            "Always 1; the labels describe the serving model, its device and the rules",
            ("model", "taxonomy", "rules", "device", "runtime", "precision"),
        )
        self.model_fallback = gauge("model_fallback", "1 while the model does not run on the requested device", ())
        self.model_seconds = histogram(
            "model_seconds",
            "Time of the model for one batch of records; the rate of its sum is the utilization of the device",
            (),
            _SECONDS,
        )
        self.model_texts = counter(
            "model_texts",
            "Texts by origin of their prediction: computed, or cached from an equal text",
            ("origin",),
        )
        self.reloads = counter(
            "reloads", "New models and rules that were loaded (swapped) or not (refused)", ("kind", "outcome")
        )
        self.shadow_texts = counter("shadow_texts", "Texts that the shadow model classified", ())
        self.shadow_disagreements = counter(
            "shadow_disagreements",
            "Texts that the shadow model and the serving model classified differently, by head",
            ("head",),
        )
        self.shadow_skipped = counter(
            "shadow_skipped", "Sampled batches that the shadow model did not classify", ("reason",)
        )
        self.shadow_seconds = histogram("shadow_seconds", "Time of a batch in the shadow model", (), _SECONDS)
        # Alerts.
        self.alert_transitions = counter(
            "alert_transitions", "Alerts pending, fired, resolved, or dropped before they fired", ("rule", "status")
        )
        self.alerts_suppressed = counter(
            "alerts_suppressed", "Firing keys beyond the maximum number of open alerts", ()
        )
        self.alert_keys = gauge(
            "alert_keys",
            "Keys of a rule: watched, of these learning or short of records, and counted as others",
            ("rule", "kind"),
        )
        self.notifications = counter("notifications", "Notifications by receiver and outcome", ("notifier", "outcome"))
        self.notification_seconds = histogram(
            "notification_seconds",
            "Time from a notification being due to its delivery, including retries",
            ("notifier",),
            (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600),
        )
        self.window_counts_merged = counter(
            "window_counts_merged", "Window counts that were merged, or dropped as duplicates", ("outcome",)
        )
        self.partitions_left_out = gauge(
            "partitions_left_out", "Raw partitions without progress for max_hold_s, which the watermark ignores", ()
        )
        self.partitions_lagging = gauge(
            "partitions_lagging", "Raw partitions that lag too far behind the others: alerts do not wait for them", ()
        )
        self.pages_pending = gauge("pages_pending", "Notifications that are not delivered yet", ())
        self.pages_refused = gauge(
            "pages_refused", "Firing alerts whose notification the receiver refuses; it is asked again", ("notifier",)
        )
        self.watermark_lag_seconds = gauge("watermark_lag_seconds", "Current time minus the alerter's watermark", ())
        # Console.
        self.console_read_seconds = histogram(
            "console_read_seconds", "Time to read one snapshot from Elasticsearch", (), _SECONDS
        )
        self.console_read_failures = counter("console_read_failures", "Snapshots that could not be read", ())
        # The serving API.
        self.api_requests = counter("api_requests", "Requests to the API by route and status", ("route", "status"))
        self.api_seconds = histogram("api_seconds", "Time of a request to the API", ("route",), _SECONDS)
        self.api_records = counter(
            "api_records", "Records sent to the API: accepted, refused, or repeated", ("route", "outcome")
        )
        self.answers = counter(
            "answers",
            "Questions answered with evidence, by audience and outcome: answered, or why not",
            ("audience", "outcome"),
        )
        self.answer_seconds = histogram("answer_seconds", "Time to find the evidence for a question", (), _SECONDS)
        self.api_limited = counter(
            "api_limited", "Requests refused because of their caller's limit of records per minute", ()
        )
        self.api_queue_records = gauge("api_queue_records", "Records that wait for the model", ())
        self.api_batch_records = histogram(
            "api_batch_records", "Records of concurrent requests in one model call", (), (1, 2, 4, 8, 16, 32, 64, 128)
        )
        # Conversations. Containment = ended by the bot / all that ended.
        self.conversation_turns = counter("conversation_turns", "Turns that were taken, by who spoke", ("speaker",))
        self.conversation_rephrased = counter(
            "conversation_rephrased", "Passages given to the endpoint, by what became of its text", ("outcome",)
        )
        self.conversation_topic_turns = counter(
            "conversation_topic_turns", "Messages of the topic of turns, by what became of them", ("outcome",)
        )
        self.conversation_turn_seconds = histogram(
            "conversation_turn_seconds", "Time from a turn's request to its answer", (), _SECONDS
        )
        self.conversation_handoffs = counter("conversation_handoffs", "Hand-offs to a person", ("reason",))
        self.conversation_handoff_seconds = histogram(
            "conversation_handoff_seconds", "Time from a conversation's first turn to its hand-off", (), _MINUTES
        )
        self.conversation_waiting_seconds = histogram(
            "conversation_waiting_seconds", "Time that customers waited for a person", (), _MINUTES
        )
        self.conversations_ended = counter(
            "conversations_ended", "Conversations that were closed: by the bot, a person or the time-out", ("by",)
        )
        self.conversation_suggestions = counter(
            "conversation_suggestions", "Turns of agents, with a suggested step or without", ("outcome",)
        )
        self.conversations_waiting = gauge("conversations_waiting", "Conversations that wait for a person", ())
        self.conversations_longest_wait_seconds = gauge(
            "conversations_longest_wait_seconds", "Time that the first of them has waited", ()
        )

    def _counter(self, name: str, documentation: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"triage_{name}", documentation, labels, registry=self.registry)

    def _gauge(self, name: str, documentation: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"triage_{name}", documentation, labels, registry=self.registry)

    def _histogram(
        self, name: str, documentation: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(f"triage_{name}", documentation, labels, registry=self.registry, buckets=buckets)


def observe_all(histogram: Histogram, values: Sequence[float]) -> None:
    """Add many values to a histogram, in its unit, with one update per bucket instead of one per value."""
    bounds = histogram._upper_bounds  # noqa: SLF001 - the library cannot observe many values at once
    for bucket, count in Tally(bisect_left(bounds, value) for value in values).items():
        histogram._buckets[bucket].inc(count)  # noqa: SLF001
    histogram._sum.inc(sum(values))  # noqa: SLF001
