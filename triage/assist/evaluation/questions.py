"""Questions with the article that answers each: JSON lines of `question`, `language`, `article` (null: none does).

`kind` is optional: figures are then printed by kind too.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from triage.decoding import decoded
from triage.errors import ConfigError
from triage.packed import read_unpacked


class LabelledQuestion(msgspec.Struct, frozen=True):
    """A question and the `article` that answers it, or one of several; [] if none does."""

    question: str
    language: str
    articles: list[str]
    kind: str | None = None


def read_questions(path: Path) -> list[LabelledQuestion]:
    """Read a file of questions, also gzipped. Raises ConfigError with the line of what is not valid."""
    try:
        text = read_unpacked(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--questions {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    found, problems = [], []
    for line, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            found.append(_question(decoded(json.loads, row)))
        except ValueError as error:
            problems.append(f"{path}:{line}: {error}")
    if problems:
        raise ConfigError(problems[:20], where="--questions")
    if not found:
        raise ConfigError(f"--questions {path} has no question")
    return found


def _question(row: Any) -> LabelledQuestion:
    if not isinstance(row, dict) or not isinstance(row.get("question"), str):
        raise ValueError(  # noqa: TRY004 - the line is wrong, not the code
            'a line is {"question": "...", "language": "en", "article": "id" or null}'
        )
    if "article" not in row and "articles" not in row:
        raise ValueError("article is missing: the id of the article that answers, or null")
    named = row.get("articles", row.get("article"))
    articles = [named] if isinstance(named, str) else named or []
    if not isinstance(articles, list) or not all(isinstance(each, str) for each in articles):
        raise ValueError("article is an id, a list of ids, or null")
    kind = row.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise ValueError("kind is a word, as paraphrase, or left out")
    return LabelledQuestion(row["question"], str(row.get("language") or "und"), articles, kind)
