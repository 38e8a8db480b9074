"""Every metric, declared once: the registry the processes record to and the docs page is generated from."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from triage import __version__

_SHARES = tuple(step / 20 for step in range(1, 20))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one process on their own registry, so that tests and several workers in one process don't mix."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram

        self.build_info = gauge("build_info", "1; which version of triage runs", ("version",))
        self.build_info.labels(__version__).set(1)
        # What came in and what became of it; in = enriched + dead-lettered once the lag is zero.
        self.records_consumed = counter("records_consumed", "Raw records read", ("channel",))
        self.records_enriched = counter("records_enriched", "Records enriched, indexed and committed", ("channel",))
        self.records_dead_lettered = counter("records_dead_lettered", "Records refused for good", ("stage", "reason"))
        self.records_forgotten = counter(
            "records_forgotten", "Records passed over because their author asked to be forgotten since", ()
        )
        self.unknown_fields = counter("unknown_fields", "Raw fields outside the schema, kept in attributes", ())
        # Where the time goes.
        self.stage_seconds = histogram("stage_seconds", "Time of one batch in a stage", ("stage",), _SECONDS)
        self.record_latency_seconds = histogram(
            "record_latency_seconds", "From the broker's timestamp to committed", (), _SECONDS
        )
        self.batch_records = histogram("batch_records", "Records per transaction", (), (1, 4, 16, 64, 256, 1024, 4096))
        self.batches_in_flight = gauge("batches_in_flight", "Batches that are read and not committed yet", ())
        self.batch_fill_ratio = gauge("batch_fill_ratio", "Useful tokens of all tokens in the last model call", ())
        self.consumer_lag = gauge("consumer_lag", "Records behind the end of the partition", ("topic", "partition"))
        self.last_commit_timestamp_seconds = gauge(
            "last_commit_timestamp_seconds", "When the last transaction was committed, in Unix time", ()
        )
        self.seconds_since_progress = gauge(
            "seconds_since_progress", "How long the main loop, or the work that it waits for, has stood still", ()
        )
        # Trouble.
        self.retries = counter(
            "retries", "Attempts repeated because a dependency was absent or overloaded", ("dependency",)
        )
        self.paused = gauge("paused", "1 while no more is read because a dependency is slow or away", ())
        self.fenced = counter("fenced", "Transactions refused because a peer took over", ())
        self.index_conflicts = counter(
            "index_conflicts", "Documents that Elasticsearch already had in this or a newer version", ()
        )
        # What the model says.
        self.low_confidence = counter("low_confidence", "Records flagged low_confidence", ())
        self.intents = counter("intents", "Records by intent", ("intent",))
        self.sentiments = counter("sentiments", "Records by sentiment", ("sentiment",))
        self.confidence = histogram(
            "confidence", "Probability of the label that was given, by head", ("head",), _SHARES
        )
        # Which model and rules judge, and what a shadow model would have said.
        self.model_info = gauge(
            "model_info",
            "1; which model judges, on what",
            ("model", "taxonomy", "rules", "device", "runtime", "precision"),
        )
        self.model_fallback = gauge("model_fallback", "1 while the model does not run on the device asked for", ())
        self.model_seconds = histogram(
            "model_seconds",
            "Time of the model for one batch of records; the rate of its sum is the share that the device is busy",
            (),
            _SECONDS,
        )
        self.reloads = counter(
            "reloads", "New models and rules taken over (swapped) or not (refused)", ("kind", "outcome")
        )
        self.shadow_texts = counter("shadow_texts", "Texts that the shadow model judged too", ())
        self.shadow_disagreements = counter(
            "shadow_disagreements", "Texts on which shadow and live model differ, by head", ("head",)
        )
        self.shadow_skipped = counter(
            "shadow_skipped", "Sampled batches that the shadow model did not judge", ("reason",)
        )
        self.shadow_seconds = histogram("shadow_seconds", "Time of one batch in the shadow model", (), _SECONDS)
        # Alerts.
        self.alert_transitions = counter(
            "alert_transitions", "Alerts pending, fired, resolved, or dropped before they fired", ("rule", "status")
        )
        self.alerts_suppressed = counter("alerts_suppressed", "Firing keys beyond the most alerts open at once", ())
        self.alert_keys = gauge(
            "alert_keys", "Keys of a rule: watched, learning of these, and counted as others", ("rule", "kind")
        )
        self.notifications = counter("notifications", "Notifications by receiver and outcome", ("notifier", "outcome"))
        self.notification_seconds = histogram(
            "notification_seconds",
            "From a notification being due to the receiver having taken it, repeats of the attempt included",
            ("notifier",),
            (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600),
        )
        self.window_counts_merged = counter(
            "window_counts_merged", "Window counts merged or dropped as seen", ("outcome",)
        )
        self.partitions_left_out = gauge(
            "partitions_left_out", "Raw partitions without progress for max_hold_s, left out of the watermark", ()
        )
        self.pages_pending = gauge("pages_pending", "Pages that a receiver has not taken yet", ())
        self.watermark_lag_seconds = gauge("watermark_lag_seconds", "Clock less the alerter's watermark", ())
        # Console.
        self.console_read_seconds = histogram(
            "console_read_seconds", "Time to read one snapshot from Elasticsearch", (), _SECONDS
        )
        self.console_read_failures = counter("console_read_failures", "Snapshots that could not be read", ())
        # The serving API.
        self.api_requests = counter("api_requests", "Requests to the API by route and status", ("route", "status"))
        self.api_seconds = histogram("api_seconds", "Time of one request to the API", ("route",), _SECONDS)
        self.api_records = counter(
            "api_records", "Records sent to the API: accepted, refused, or repeated", ("route", "outcome")
        )
        self.api_limited = counter("api_limited", "Requests beyond their caller's records a minute", ())
        self.api_queue_records = gauge("api_queue_records", "Records that wait for the model", ())
        self.api_batch_records = histogram(
            "api_batch_records", "Records of concurrent requests in one model call", (), (1, 2, 4, 8, 16, 32, 64, 128)
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
    """What `observe` of each value does, at the cost of a few."""
    bounds = histogram._upper_bounds  # noqa: SLF001 - the library has no call for many values
    for bucket, count in Tally(bisect_left(bounds, value) for value in values).items():
        histogram._buckets[bucket].inc(count)  # noqa: SLF001
    histogram._sum.inc(sum(values))  # noqa: SLF001
