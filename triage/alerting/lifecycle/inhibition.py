"""Inhibition: a firing alert mutes others that it makes redundant. Pure."""

from collections.abc import Callable, Iterable, Iterator

from triage.alerting.lifecycle.episode import Episode
from triage.alerting.rules.model import SEVERITIES

# Dimension values in the order of their names.
_Values = tuple[tuple[str, str], ...]
_RANK: dict[str, int] = {severity: number for number, severity in enumerate(SEVERITIES)}


def severity_rank(severity: str) -> int:
    """Rank of a severity for sorting: 0 for critical; a higher rank is less severe."""
    return _RANK.get(severity, len(SEVERITIES))


def rank(episode: Episode) -> int:
    """Rank of an episode's severity: 0 for critical; a higher rank is less severe."""
    return severity_rank(episode.severity)


def precedence(episode: Episode) -> tuple[int, int, int, str]:
    """Sort key of an episode: severity, number of dimensions, start, rule.

    An episode that can mute another one comes before it.
    """
    return rank(episode), len(episode.dimensions), episode.started_ms, episode.rule


class InhibitionIndex:
    """Finds the alert that mutes another one.

    Firing episodes are indexed by dimension values, to avoid comparing all pairs.

    Comparing all pairs would block the event loop for seconds when thousands of keys fire at once. The index is for one
    run of the timers: episodes must not change while it is in use.
    """

    def __init__(self, episodes: Iterable[Episode]) -> None:
        firing = [episode for episode in episodes if episode.firing]
        # Distinct sets of dimension names: no more than there are rules.
        self._shapes = sorted({_shape(episode) for episode in firing})
        self._exact: dict[_Values, list[Episode]] = {}
        self._covering: dict[_Values, list[Episode]] = {}
        for episode in firing:
            self._exact.setdefault(_values(episode, _shape(episode)), []).append(episode)
            for shape in self._shapes:
                if episode.dimensions.keys() >= set(shape):
                    self._covering.setdefault(_values(episode, shape), []).append(episode)

    def parent_of(
        self, child: Episode, *, all_mutes: bool, mutes: Callable[[Episode], bool] = lambda _: True
    ) -> Episode | None:
        """The firing episode that mutes `child`, or None. Only episodes for which `mutes` returns true are considered.

        A parent's dimensions are a subset of the child's, with the same values: `brand=Acme` mutes
        `brand=Acme|region=eu`. An alert on all records together is a parent only if `all_mutes`. With equal dimensions,
        the alert that fired first mutes the other. A parent never mutes a more severe alert; in that case the narrower,
        more severe alert mutes the wider one, because it explains it. `child` must be in the index.
        """
        parents = [
            episode
            for episode in self._related(child)
            if episode.dedup_key != child.dedup_key
            and (_wider(episode, child, all_mutes=all_mutes) or _first(episode, child) or _sharper(episode, child))
            and mutes(episode)
        ]
        return min(parents, key=lambda parent: (len(parent.dimensions), parent.started_ms, parent.rule), default=None)

    def _related(self, child: Episode) -> Iterator[Episode]:
        """The episodes whose dimensions contain the child's or are contained in them, with the same values."""
        yield from self._covering.get(_values(child, _shape(child)), ())
        for shape in self._shapes:
            if child.dimensions.keys() > set(shape):
                yield from self._exact.get(_values(child, shape), ())


def _shape(episode: Episode) -> tuple[str, ...]:
    return tuple(sorted(episode.dimensions))


def _values(episode: Episode, names: tuple[str, ...]) -> _Values:
    return tuple((name, episode.dimensions[name]) for name in names)


def _wider(parent: Episode, child: Episode, *, all_mutes: bool) -> bool:
    return (
        rank(parent) <= rank(child)
        and parent.dimensions.items() < child.dimensions.items()
        and (bool(parent.dimensions) or all_mutes)
    )


def _first(parent: Episode, child: Episode) -> bool:
    """True if the parent comes first of two on the same dimensions.

    It is a strict order, so that one of several on the same dimensions is not muted.
    """
    return parent.dimensions == child.dimensions and (
        (rank(parent), parent.started_ms, parent.rule) < (rank(child), child.started_ms, child.rule)
    )


def _sharper(parent: Episode, child: Episode) -> bool:
    return rank(parent) < rank(child) and parent.dimensions.items() > child.dimensions.items()
