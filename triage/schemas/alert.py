"""The alert, on `feedback.alerts` (keyed by dedup key, compacted) and in the index `alerts`."""

from typing import Literal

import msgspec

AlertStatus = Literal["firing", "resolved"]
AlertState = Literal["pending", "firing", "ongoing", "recovering", "resolved"]
# Events of an alert that receivers are notified of.
Event = Literal["firing", "acknowledged", "resolved"]


class Acknowledgement(msgspec.Struct, omit_defaults=True):
    """A person who acknowledged or snoozed an alert, and when."""

    by: str
    at: str
    comment: str = ""


class Chart(msgspec.Struct):
    """Observed and expected negatives per step, up to the latest one; `expected` is null without a detector."""

    start: str
    step_s: int
    observed: list[int]
    expected: list[float | None]


class Example(msgspec.Struct):
    """A redacted record counted in an alert."""

    id: str
    text: str
    intent: str
    channel: str
    at: str


class Share(msgspec.Struct, omit_defaults=True):
    """Number of the alert's negative records with one value.

    `expected` is the number at the value's share in the days before. It is set only for values that are significantly
    over-represented; a value without it is just frequent.
    """

    value: str
    count: int
    expected: float | None = None


class Refusal(msgspec.Struct):
    """A receiver that did not take an alert's notification, its latest answer and when it came.

    `retried`: it is asked again while the alert fires.
    """

    receiver: str
    error: str
    at: str
    retried: bool = False


class Evidence(msgspec.Struct):
    """Properties of an alert's records in the index."""

    top_intents: list[Share] = []
    top_entities: list[Share] = []
    top_words: list[Share] = []
    examples: list[Example] = []


class Alert(msgspec.Struct, kw_only=True, omit_defaults=True):
    """State of one episode; all its updates carry the same `dedup_key` (at most 255 characters).

    `status` says whether it is over, `state` is more detailed. `expected` is for the latest window, `peak_expected` for
    the window with most negatives. `page` is the dedup key under which receivers were notified: the alert's own, or
    that of another alert of its group. `paged` is true once a receiver other than the log has taken its notification:
    `taken_by` are those that did, `refusals` those that did not and said why. `without` are
    raw partitions that lag: the latest window may lack their records. `late_records` arrived after the latest
    window was evaluated.
    """

    dedup_key: str
    rule: str
    key: str
    dimensions: dict[str, str]
    status: AlertStatus
    severity: str
    title: str
    summary: str
    started_at: str
    updated_at: str
    window_s: int
    negative: int
    total: int
    share: float
    peak_negative: int
    ended_at: str | None = None
    expected: float | None = None
    paged: bool = True
    not_paged_because: str | None = None
    runbook: str | None = None
    console_url: str | None = None
    kibana_url: str | None = None
    top_intents: list[Share] = []
    top_entities: list[Share] = []
    top_words: list[Share] = []
    examples: list[Example] = []
    state: AlertState = "firing"
    peak_total: int = 0
    peak_expected: float | None = None
    score: float | None = None
    causes: list[str] = []
    flapping: bool = False
    late_records: int = 0
    page: str | None = None
    acknowledged: Acknowledgement | None = None
    snoozed: Acknowledgement | None = None
    snoozed_until: str | None = None
    chart: Chart | None = None
    taken_by: list[str] = []
    refusals: list[Refusal] = []
    without: list[str] = []
