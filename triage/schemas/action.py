"""Messages by which people acknowledge, snooze, silence and assess alerts, on `feedback.alert-actions` (compacted)."""

from typing import Literal

import msgspec


def _key(action: "Action", of: str) -> str:
    """The message's key: each action of a link has its own, so that the topic keeps which links were used."""
    return f"link/{action.id}" if action.via else of


class Matcher(msgspec.Struct, frozen=True):
    """A condition on an alert. `name` is a dimension, `rule` or `severity`; with `negated` the value must differ."""

    name: str
    value: str
    negated: bool = False


class Acknowledge(msgspec.Struct, tag="acknowledge", kw_only=True, frozen=True):
    """An acknowledgement: somebody takes care of the alert, so its notification is not repeated.

    `at_ms` is the time by the sender's clock, in ms since the epoch. `via` is the receiver in whose message a link was
    used for this; then `id` is the link's own, by which it is used once.
    """

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    comment: str = ""
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"acknowledge/{self.dedup_key}")


class Snooze(msgspec.Struct, tag="snooze", kw_only=True, frozen=True):
    """A pause in the notifications of one alert until `until_ms`; if it still fires then, it is notified again."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    until_ms: int
    comment: str = ""
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"snooze/{self.dedup_key}")


class Unacknowledge(msgspec.Struct, tag="unacknowledge", kw_only=True, frozen=True):
    """The end of an acknowledgement: nobody takes care of the alert, and its notification is repeated again."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    comment: str = ""
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"unacknowledge/{self.dedup_key}")


class Assign(msgspec.Struct, tag="assign", kw_only=True, frozen=True):
    """An assignment of an alert to the person `to`; an empty name ends it."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    to: str
    comment: str = ""
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"assign/{self.dedup_key}")


class Comment(msgspec.Struct, tag="comment", kw_only=True, frozen=True):
    """A comment on an alert, which receivers of its notification get, too."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    comment: str
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"comment/{self.id}")


class Resolve(msgspec.Struct, tag="resolve", kw_only=True, frozen=True):
    """The end of an alert by hand, although its rule may still fire."""

    id: str
    actor: str
    at_ms: int
    dedup_key: str
    comment: str = ""
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"resolve/{self.dedup_key}")


class Silence(msgspec.Struct, tag="silence", kw_only=True, frozen=True):
    """A pause, until `until_ms`, in the notifications of every alert that matches all `matchers`."""

    id: str
    actor: str
    at_ms: int
    matchers: list[Matcher]
    until_ms: int
    comment: str = ""
    via: str = ""

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
    via: str = ""

    @property
    def key(self) -> str:
        return _key(self, f"judge/{self.dedup_key}")


# Actions that the engine of the alert applies to its episode.
EpisodeAction = Acknowledge | Unacknowledge | Snooze | Assign | Comment | Resolve
Action = EpisodeAction | Silence | Judge
