"""The alert, on `feedback.alerts` (keyed by dedup key, compacted) and in the index `alerts`."""

from typing import Literal

import msgspec

AlertStatus = Literal["firing", "resolved"]
AlertState = Literal["pending", "firing", "ongoing", "recovering", "resolved"]
# Events of an alert that receivers are notified of.
Event = Literal["firing", "acknowledged", "resolved", "note"]
Deed = Literal["acknowledge", "unacknowledge", "snooze", "assign", "comment", "resolve"]


class Acknowledgement(msgspec.Struct, omit_defaults=True):
    """The user who acknowledged or snoozed an alert, and the time."""

    by: str
    at: str
    comment: str = ""


class Assessment(msgspec.Struct, omit_defaults=True):
    """A user's assessment of an alert: it was `right` to page, or `false`."""

    verdict: Literal["right", "false"]
    by: str
    at: str
    comment: str = ""


class Assignment(msgspec.Struct):
    """The person to whom an alert is assigned, who assigned it, and when."""

    to: str
    by: str
    at: str


class HistoryEntry(msgspec.Struct, omit_defaults=True):
    """A user's action on an alert, and its time; `id` is that of the action.

    `until` is the end of a snooze, `to` the person of an assignment, `via` the receiver in whose message a link was
    used.
    """

    id: str
    action: Deed
    by: str
    at: str
    comment: str = ""
    until: str | None = None
    to: str | None = None
    via: str | None = None


class Chart(msgspec.Struct):
    """Observed and expected numbers of negative records per step of `step_s` seconds, from `start` to the latest step.

    An entry of `expected` is null if no detector computed one.
    """

    start: str
    step_s: int
    observed: list[int]
    expected: list[float | None]


class Example(msgspec.Struct):
    """One of the records that an alert counts, redacted, as an example."""

    id: str
    text: str
    intent: str
    channel: str
    at: str


class Share(msgspec.Struct, omit_defaults=True):
    """Number of the alert's negative records that have one value, such as an intent or a word.

    `expected` is the number to expect from the value's share in the days before. It is set only for values that are
    significantly over-represented; a value without it is merely frequent.
    """

    value: str
    count: int
    expected: float | None = None


class Refusal(msgspec.Struct):
    """A receiver that did not accept an alert's notification, its latest answer and the time of the answer.

    If `retried` is true, the notification is sent again while the alert fires.
    """

    receiver: str
    error: str
    at: str
    retried: bool = False


class Thresholds(msgspec.Struct):
    """Limits of a static rule: at least `count` negatives, which are at least the `share` (0 to 1) of all records."""

    count: int
    share: float


class Evidence(msgspec.Struct):
    """Frequent or unusual intents, entities and words among an alert's records in the index, and examples.

    All are from the window that ends at `end`; evidence of earlier versions has no `end`.
    """

    top_intents: list[Share] = []
    top_entities: list[Share] = []
    top_words: list[Share] = []
    examples: list[Example] = []
    end: str | None = None


class Alert(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The state of one alert from its start to its end; all its updates have the same `dedup_key`.

    `dedup_key` has at most 255 characters. `status` says whether the alert is over, `state` is more detailed.
    `negative`, `total` and `share` (negative / total) count the records of the latest window, the fields with `peak`
    those of the window with most negative records; `expected` and `peak_expected` are the expected numbers of negative
    records there. `page` is the dedup key under which receivers were notified: the alert's own, or that of another
    alert of its group. `paged` is true once a receiver other than the log has accepted its notification: `taken_by` are
    those that did, `refusals` those that did not. `without` are raw partitions that lag: the latest window may lack
    their records. `late_records` is the number of records that arrived after the latest window was evaluated.
    `assessment` is the last assessment of the alert, if there is one. `window_end` and `peak_end` are the ends of the
    latest window and of that with most negatives; `thresholds` are those of the static rule that fired. `told_at` is
    when the first receiver other than the log accepted the notification, `resolved_by` the user who resolved the alert,
    `history` the users' actions, oldest first. `examples_end` is the end of the window of the examples and of the
    unusual values. `chart` extends from before the alert began to its latest step, or until after it ended. `title` and
    `summary` describe the alert in the language of notifications; the console describes it in its reader's language.
    `kind` is `silence` for an alert that fires because records are missing; its numbers are of all records.
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
    assessment: Assessment | None = None
    window_end: str | None = None
    peak_end: str | None = None
    thresholds: Thresholds | None = None
    kind: Literal["spike", "silence"] = "spike"
    told_at: str | None = None
    assigned: Assignment | None = None
    resolved_by: Acknowledgement | None = None
    history: list[HistoryEntry] = []
    examples_end: str | None = None
