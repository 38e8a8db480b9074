"""Comments of users on alerts, by alert. Pure."""

from collections.abc import Iterator

from triage.schemas.action import Comment


class Comments:
    """All comments on alerts, by dedup key; each is kept once, by its id."""

    def __init__(self) -> None:
        self._by_key: dict[str, dict[str, Comment]] = {}

    def put(self, comment: Comment) -> None:
        self._by_key.setdefault(comment.dedup_key, {})[comment.id] = comment

    def of(self, dedup_key: str) -> list[Comment]:
        """The comments on one alert, oldest first."""
        return sorted(self._by_key.get(dedup_key, {}).values(), key=lambda comment: comment.at_ms)

    def keys(self) -> list[str]:
        """Dedup keys of all alerts with a comment."""
        return list(self._by_key)

    def __iter__(self) -> Iterator[Comment]:
        for comments in self._by_key.values():
            yield from comments.values()
