"""The alert: on `feedback.alerts` (keyed by dedup key, compacted) and in the index `alerts`."""

from typing import Literal

import msgspec

AlertStatus = Literal["firing", "resolved"]
AlertState = Literal["pending", "firing", "ongoing", "recovering", "resolved"]
# What receivers are told of a page.
Event = Literal["firing", "acknowledged", "resolved"]


class Acknowledgement(msgspec.Struct, omit_defaults=True):
    """Who took care of an alert, or snoozed it."""

    by: str
    at: str
    comment: str = ""


class Chart(msgspec.Struct):
    """Negatives per step up to the latest one, observed and expected; expectations without a detector are null."""

    start: str
    step_s: int
    observed: list[int]
    expected: list[float | None]


class Example(msgspec.Struct):
    """A redacted record behind an alert."""

    id: str
    text: str
    intent: str
    channel: str
    at: str


class Share(msgspec.Struct, omit_defaults=True):
    """How much of the window one value makes: `count` of the alert's negative records.

    `expected` is what its share in the days before would make. It is there only for values that are over-represented
    beyond chance; a value without it is just frequent.
    """

    value: str
    count: int
    expected: float | None = None


class Evidence(msgspec.Struct):
    """What the index says about an alert's records."""

    top_intents: list[Share] = []
    top_entities: list[Share] = []
    top_words: list[Share] = []
    examples: list[Example] = []


class Alert(msgspec.Struct, kw_only=True, omit_defaults=True):
    """State of one episode; every update of it carries the same `dedup_key` (at most 255 characters).

    `status` says whether it is over, `state` more closely how it stands. `expected` negatives belong to the latest
    window, `peak_expected` to the one with most. `page` is the dedup key under which receivers were told: the alert's
    own, or that of another alert of its group. `late_records` of the latest window came after it had been judged.
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
