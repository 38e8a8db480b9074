"""What people do with alerts, on `feedback.alert-actions` (compacted): acknowledge, snooze, silence."""

import msgspec


class Matcher(msgspec.Struct, frozen=True):
    """`name` is a dimension, `rule` or `severity`; with `negated` the alert must have another value, or none."""

    name: str
    value: str
    negated: bool = False


class Acknowledge(msgspec.Struct, tag="acknowledge", kw_only=True, frozen=True):
    """Someone takes care: no more repeats of the alert's page. `at_ms` is the sender's clock."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    comment: str = ""

    @property
    def key(self) -> str:
        return f"acknowledge/{self.dedup_key}"


class Snooze(msgspec.Struct, tag="snooze", kw_only=True, frozen=True):
    """No page of the alert until `until_ms`; if it still fires then, it is sent again."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    until_ms: int
    comment: str = ""

    @property
    def key(self) -> str:
        return f"snooze/{self.dedup_key}"


class Silence(msgspec.Struct, tag="silence", kw_only=True, frozen=True):
    """No page of any alert that all matchers match, until `until_ms`."""

    id: str
    actor: str
    at_ms: int
    matchers: list[Matcher]
    until_ms: int
    comment: str = ""

    @property
    def key(self) -> str:
        return f"silence/{self.id}"


Action = Acknowledge | Snooze | Silence
