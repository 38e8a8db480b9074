"""Messages by which people acknowledge, snooze, silence and assess alerts, on `feedback.alert-actions` (compacted)."""

from typing import Literal

import msgspec


class Matcher(msgspec.Struct, frozen=True):
    """A condition on an alert. `name` is a dimension, `rule` or `severity`; with `negated` the value must differ."""

    name: str
    value: str
    negated: bool = False


class Acknowledge(msgspec.Struct, tag="acknowledge", kw_only=True, frozen=True):
    """An acknowledgement: somebody takes care of the alert, so its notification is not repeated.

    `at_ms` is the time by the sender's clock, in ms since the epoch.
    """

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    comment: str = ""

    @property
    def key(self) -> str:
        return f"acknowledge/{self.dedup_key}"


class Snooze(msgspec.Struct, tag="snooze", kw_only=True, frozen=True):
    """A pause in the notifications of one alert until `until_ms`; if it still fires then, it is notified again."""

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
    """A pause, until `until_ms`, in the notifications of every alert that matches all `matchers`."""

    id: str
    actor: str
    at_ms: int
    matchers: list[Matcher]
    until_ms: int
    comment: str = ""

    @property
    def key(self) -> str:
        return f"silence/{self.id}"


class Judge(msgspec.Struct, tag="judge", kw_only=True, frozen=True):
    """An assessment of one alert: `right` if it was worth a page, `false` if not; `withdrawn` takes it back.

    Of several on one alert the one with the latest `at_ms` counts.
    """

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    verdict: Literal["right", "false", "withdrawn"]
    comment: str = ""

    @property
    def key(self) -> str:
        return f"judge/{self.dedup_key}"


Action = Acknowledge | Snooze | Silence | Judge
