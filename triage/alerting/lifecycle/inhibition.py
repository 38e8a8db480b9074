"""Which firing alert makes another one redundant. Pure."""

from collections.abc import Iterable

from triage.alerting.lifecycle.episode import Episode
from triage.alerting.rules.model import SEVERITIES

_RANK: dict[str, int] = {severity: number for number, severity in enumerate(SEVERITIES)}


def rank(episode: Episode) -> int:
    """0 for critical; more is less severe."""
    return _RANK.get(episode.severity, len(SEVERITIES))


def parent_of(child: Episode, episodes: Iterable[Episode], *, all_mutes: bool) -> Episode | None:
    """The firing episode that mutes `child`, or None.

    A parent's dimensions are a part of the child's with the same values: `brand=Acme` mutes `brand=Acme|region=eu`,
    and everything together mutes only where `all_mutes`. On the same dimensions the one that fired first mutes the
    other. A parent never mutes what is more severe than itself; what is narrower and more severe mutes the parent,
    which it explains.
    """
    parents = [
        episode
        for episode in episodes
        if episode.firing
        and episode.dedup_key != child.dedup_key
        and (_wider(episode, child, all_mutes=all_mutes) or _first(episode, child) or _sharper(episode, child))
    ]
    return min(parents, key=lambda parent: (len(parent.dimensions), parent.started_ms, parent.rule), default=None)


def _wider(parent: Episode, child: Episode, *, all_mutes: bool) -> bool:
    return (
        rank(parent) <= rank(child)
        and parent.dimensions.items() < child.dimensions.items()
        and (bool(parent.dimensions) or all_mutes)
    )


def _first(parent: Episode, child: Episode) -> bool:
    """A strict order, so that of two on the same dimensions one remains."""
    return parent.dimensions == child.dimensions and (
        (rank(parent), parent.started_ms, parent.rule) < (rank(child), child.started_ms, child.rule)
    )


def _sharper(parent: Episode, child: Episode) -> bool:
    return rank(parent) < rank(child) and parent.dimensions.items() > child.dimensions.items()
