"""Problems of files of knowledge: what is refused, and where."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from triage.schemas.knowledge import Article


@dataclass(frozen=True, order=True)
class Problem:
    """One reason why an article is refused; `line` counts from 1. `article` is its id, if it could be read."""

    path: Path
    line: int
    message: str
    article: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Source:
    """Position of an article: its file, the line where it starts, and the line where its text starts."""

    path: Path
    line: int = 1
    body_line: int = 1


@dataclass
class Collection:
    """The content of a folder of knowledge: accepted articles by id, in order, and the problems of the others.

    `files` is the number of files read, `ignored` the files of other kinds, `drafts` the number of articles that are
    not published. `detected` counts the articles whose language was found by their text, by language.
    """

    articles: dict[str, Article] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    ignored: list[Path] = field(default_factory=list)
    drafts: int = 0
    detected: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> set[str]:
        """Ids of articles that were refused: their indexed versions stay as they are."""
        return {each.article for each in self.problems if each.article is not None}
