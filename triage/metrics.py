"""Every metric, declared once: the registry the processes record to and the docs page is generated from."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one process on their own registry, so that tests and several workers in one process don't mix."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram

        # What came in and what became of it; in = enriched + dead-lettered once the lag is zero.
        self.records_consumed = counter("records_consumed", "Raw records read", ("channel",))
        self.records_enriched = counter("records_enriched", "Records enriched, indexed and committed", ("channel",))
        self.records_dead_lettered = counter("records_dead_lettered", "Records refused for good", ("stage", "reason"))
        self.unknown_fields = counter("unknown_fields", "Raw fields outside the schema, kept in attributes", ())
        # Where the time goes.
        self.stage_seconds = histogram("stage_seconds", "Time of one batch in a stage", ("stage",), _SECONDS)
        self.record_latency_seconds = histogram(
            "record_latency_seconds", "From the broker's timestamp to committed", (), _SECONDS
        )
        self.batch_records = histogram("batch_records", "Records per transaction", (), (1, 4, 16, 64, 256, 1024, 4096))
        self.batch_fill_ratio = gauge("batch_fill_ratio", "Useful tokens of all tokens in the last model call", ())
        self.consumer_lag = gauge("consumer_lag", "Records behind the end of the partition", ("topic", "partition"))
        # Trouble.
        self.retries = counter(
            "retries", "Attempts repeated because a dependency was absent or overloaded", ("dependency",)
        )
        self.paused = gauge("paused", "1 while partitions are paused for a dependency", ())
        self.fenced = counter("fenced", "Transactions refused because a peer took over", ())
        self.index_conflicts = counter(
            "index_conflicts", "Documents that Elasticsearch already had in this or a newer version", ()
        )
        # What the model says.
        self.low_confidence = counter("low_confidence", "Records flagged low_confidence", ())
        self.intents = counter("intents", "Records by intent", ("intent",))
        self.sentiments = counter("sentiments", "Records by sentiment", ("sentiment",))
        # Alerts.
        self.alert_transitions = counter("alert_transitions", "Alerts fired and resolved", ("rule", "status"))
        self.notifications = counter("notifications", "Notifications by receiver and outcome", ("notifier", "outcome"))
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

    def _counter(self, name: str, documentation: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"triage_{name}", documentation, labels, registry=self.registry)

    def _gauge(self, name: str, documentation: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"triage_{name}", documentation, labels, registry=self.registry)

    def _histogram(
        self, name: str, documentation: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(f"triage_{name}", documentation, labels, registry=self.registry, buckets=buckets)
