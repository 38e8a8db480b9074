"""Applies users' actions on alerts to their episodes: acknowledge, snooze, assign, comment, resolve. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from triage.alerting.lifecycle.episode import Episode
from triage.clock import rfc3339
from triage.schemas.action import Acknowledge, Assign, Comment, EpisodeAction, Resolve, Snooze, Unacknowledge
from triage.schemas.alert import Acknowledgement, Assignment, Deed, HistoryEntry

# Of an episode. All open episodes are stored in one message.
MAX_ENTRIES = 40
_DEEDS: dict[type, Deed] = {
    Acknowledge: "acknowledge",
    Unacknowledge: "unacknowledge",
    Snooze: "snooze",
    Assign: "assign",
    Comment: "comment",
    Resolve: "resolve",
}


def is_applied(episode: Episode, action: EpisodeAction) -> bool:
    """True if this action, or a later one that replaces it, was already applied to the episode."""
    if any(entry.id == action.id for entry in episode.history):
        return True
    if isinstance(action, Comment):
        # The oldest entries are forgotten.
        full = len(episode.history) >= MAX_ENTRIES
        return full and rfc3339(action.at_ms) <= episode.history[0].at
    return action.at_ms <= episode.acted_ms


def with_comments(history: Sequence[HistoryEntry], comments: Iterable[Comment]) -> list[HistoryEntry]:
    """The history of an ended alert, with those of `comments` that it lacks, by time; at most the latest MAX_ENTRIES.

    A comment older than the first entry of a full history is not added: it was there and has been dropped.
    """
    known = {entry.id for entry in history}
    first = history[0].at if len(history) >= MAX_ENTRIES else ""
    new = [_entry(comment) for comment in comments if comment.id not in known]
    added = [entry for entry in new if entry.at > first]
    return sorted([*history, *added], key=lambda entry: entry.at)[-MAX_ENTRIES:] if added else list(history)


def applied(episode: Episode, action: EpisodeAction, lateness_ms: int) -> Episode:
    """Return the episode after a user's action.

    `lateness_ms` is by how much the time of closed steps is behind the clock.
    """
    who = Acknowledgement(action.actor, rfc3339(action.at_ms), action.comment)
    changes: dict[str, Any] = {"history": [*episode.history, _entry(action)][-MAX_ENTRIES:]}
    if not isinstance(action, Comment):
        changes["acted_ms"] = action.at_ms
    match action:
        case Acknowledge():
            changes["acknowledged"] = who
        case Unacknowledge():
            changes["acknowledged"] = None
        case Snooze():
            changes |= {"snoozed": who, "snoozed_until_ms": action.until_ms - lateness_ms}
        case Assign():
            changes["assigned"] = Assignment(action.to, action.actor, who.at) if action.to else None
        case Resolve():
            changes |= {"state": "resolved", "resolved_by": who, "resolved_ms": action.at_ms}
            # One that never fired leaves nothing to store.
            changes["archived"] = episode.state == "pending"
        case Comment():
            pass
    return msgspec.structs.replace(episode, **changes)


def _entry(action: EpisodeAction) -> HistoryEntry:
    return HistoryEntry(
        id=action.id,
        action=_DEEDS[type(action)],
        by=action.actor,
        at=rfc3339(action.at_ms),
        comment=action.comment,
        until=rfc3339(action.until_ms) if isinstance(action, Snooze) else None,
        to=action.to if isinstance(action, Assign) else None,
        via=action.via or None,
    )
