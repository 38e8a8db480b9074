"""The alert: on `feedback.alerts` (keyed by dedup key, compacted) and in the index `alerts`."""

from typing import Literal

import msgspec

AlertStatus = Literal["firing", "resolved"]


class Example(msgspec.Struct):
    """A redacted record behind an alert."""

    id: str
    text: str
    intent: str
    channel: str
    at: str


class Share(msgspec.Struct):
    """How much of the window one value makes: `count` of the alert's negative records."""

    value: str
    count: int


class Alert(msgspec.Struct, kw_only=True, omit_defaults=True):
    """State of one episode; every update of it carries the same `dedup_key` (at most 255 characters)."""

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
    examples: list[Example] = []
