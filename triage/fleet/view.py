"""The state of the fleet as plain data, for a table, a page of the console and JSON."""

import msgspec


class Need(msgspec.Struct, frozen=True):
    """A condition that needs an operator's attention: `kind`, with its numbers and names in `values`.

    `severity` is critical, high or medium.
    """

    kind: str
    severity: str
    values: dict[str, str | int | float] = {}


class ProcessView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One process of the fleet.

    `kind` is worker, alerter, api or process (any other with metrics). `error` is the reason why its metrics are
    unknown, None if they are known. Rates are in records per second; `busy` is the share of time, 0 to 1, in which its
    model works. `standing_still_s` is for how long its main loop, or the task that it waits for, has not progressed.
    `expired` is the number of raw records that were deleted before it read them. `fallback`: the model does not run on
    the configured device.
    """

    kind: str
    name: str
    address: str = ""
    up: bool = False
    ready: bool = False
    error: str | None = None
    waiting_for: dict[str, str] = {}
    paused: bool = False
    partitions: int = 0
    lag: int = 0
    in_per_s: float = 0.0
    out_per_s: float = 0.0
    busy: float | None = None
    batch_records: float | None = None
    batch_fill: float | None = None
    standing_still_s: float = 0.0
    expired: int = 0
    model: str = ""
    device: str = ""
    runtime: str = ""
    precision: str = ""
    fallback: bool = False
    version: str = ""


class PartitionLag(msgspec.Struct, kw_only=True):
    """A raw partition: its lag in records, records written and processed per second, and its worker (empty: none).

    `expired` is the number of records that were deleted before a worker read them.
    """

    topic: str
    partition: int
    lag: int
    in_per_s: float
    out_per_s: float
    worker: str
    expired: int = 0


class StageTime(msgspec.Struct, kw_only=True):
    """Time that a batch spends in one stage, over all workers: median, 95th percentile, and batches per second."""

    stage: str
    p50_ms: float
    p95_ms: float
    per_s: float


class AlertView(msgspec.Struct, kw_only=True, frozen=True):
    key: str
    severity: str
    title: str
    started_at: str
    state: str
    acknowledged: bool


class FleetView(msgspec.Struct, kw_only=True):
    """The state of the whole fleet at one time.

    Rates and times are those of the last `interval_s` seconds; if that is 0, times are since the processes started.

    `rules` has the numbers of keys of each alert rule by kind (the metric `alert_keys`), summed over all alerters;
    empty if no alerter answers. `drain_s` is the time until the lag is 0 at these rates, None if it does not shrink.
    Dead letters are those of the last 24 hours, by reason.

    `console_error` is the reason why no console answers at `console_url`, None if one does; `unread` lists what could
    not be read from Kafka. `needs` are conditions that need an operator's attention, `problems` the same as English
    sentences.
    """

    at: str
    interval_s: float
    in_per_s: float = 0.0
    out_per_s: float = 0.0
    lag: int = 0
    drain_s: float | None = None
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    processes: list[ProcessView] = []
    partitions: list[PartitionLag] = []
    stages: list[StageTime] = []
    dead_letters: dict[str, int] = {}
    alerts: dict[str, int] = {}
    open_alerts: list[AlertView] = []
    rules: dict[str, dict[str, int]] = {}
    console_url: str = ""
    console_error: str | None = None
    unread: list[str] = []
    needs: list[Need] = []
    problems: list[str] = []
