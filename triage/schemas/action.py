"""Messages by which users acknowledge, snooze, silence and assess alerts, on `feedback.alert-actions` (compacted)."""

from typing import Literal

import msgspec


class Matcher(msgspec.Struct, frozen=True):
    """A condition on an alert: its dimension `name`, or `rule` or `severity`, has this value.

    With `negated` it must have another value.
    """

    name: str
    value: str
    negated: bool = False


class _ByPerson(msgspec.Struct, kw_only=True, frozen=True):
    """Fields of all actions, as `Acknowledge` explains them."""

    id: str
    actor: str
    at_ms: int
    comment: str = ""
    via: str = ""


class _OnAlert(_ByPerson, kw_only=True, frozen=True):
    """An action on one alert; of each kind the last counts."""

    dedup_key: str

    @property
    def key(self) -> str:
        """The message's Kafka key.

        An action by a link has a key of its own, so that the topic keeps which links were used.
        """
        return f"link/{self.id}" if self.via else f"{self.__struct_config__.tag}/{self.dedup_key}"


class Acknowledge(_OnAlert, tag="acknowledge", kw_only=True, frozen=True):
    """An acknowledgement: a user takes care of the alert, so its notification is no longer repeated.

    `at_ms` is the time by the sender's clock, in ms since the epoch. If the action came through a link in a message,
    `via` is the receiver of that message and `id` the id of the link, so that each link works only once.
    """


class Snooze(_OnAlert, tag="snooze", kw_only=True, frozen=True):
    """A pause in the notifications of one alert until `until_ms`; if it still fires then, it is notified again."""

    until_ms: int


class Unacknowledge(_OnAlert, tag="unacknowledge", kw_only=True, frozen=True):
    """The end of an acknowledgement: nobody takes care of the alert any more, so its notification is repeated again."""


class Assign(_OnAlert, tag="assign", kw_only=True, frozen=True):
    """An assignment of an alert to the person `to`; an empty name ends it."""

    to: str


class Comment(_OnAlert, tag="comment", kw_only=True, frozen=True):
    """A comment on an alert, which is also sent to the receivers of its notification."""

    comment: str

    @property
    def key(self) -> str:
        """The message's Kafka key, different for each comment, so that comments don't replace one another."""
        return f"{'link' if self.via else 'comment'}/{self.id}"


class Resolve(_OnAlert, tag="resolve", kw_only=True, frozen=True):
    """A user's request to end an alert, although its rule may still fire."""


class Silence(_ByPerson, tag="silence", kw_only=True, frozen=True):
    """A pause, until `until_ms`, in the notifications of every alert that matches all `matchers`."""

    matchers: list[Matcher]
    until_ms: int

    @property
    def key(self) -> str:
        return f"silence/{self.id}"


class Judge(_OnAlert, tag="judge", kw_only=True, frozen=True):
    """A user's assessment of one alert: `right` if it was worth a page, `false` if not; `withdrawn` revokes it.

    Of several assessments of one alert the one with the latest `at_ms` counts.
    """

    verdict: Literal["right", "false", "withdrawn"]


# Actions that the engine of the alert applies to its episode.
EpisodeAction = Acknowledge | Unacknowledge | Snooze | Assign | Comment | Resolve
Action = EpisodeAction | Silence | Judge
