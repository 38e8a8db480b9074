"""Makes an article of the fields that a file gives, and names every field that is not valid."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, get_args

from triage.assist.knowledge.markup import is_html, markdown_of
from triage.assist.knowledge.problems import Problem, Source
from triage.errors import did_you_mean
from triage.schemas.knowledge import Article, ArticleKind, Audience

# Names of the same field in exports of help centres.
_ALIASES = {
    "locale": "language", "lang": "language", "name": "title", "question": "title", "subject": "title",
    "content": "body", "text": "body", "answer": "body", "html": "body", "body_html": "body", "visibility": "audience",
    "products": "product", "intents": "intent", "type": "kind", "expires": "valid_until",
}  # fmt: skip
FIELDS = (
    "id", "title", "language", "audience", "kind", "product", "intent", "valid_from", "valid_until", "body",
)  # fmt: skip
_LISTS = ("product", "intent")
_ID = re.compile(r"[^\s#@]{1,200}")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9-_]{1,20})?")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MOST_TITLE_CHARS = 500
_MOST_BODY_CHARS = 1_000_000
_PRIVATE = {"private", "agents", "staff"}


def read_article(
    fields: Mapping[str, Any], source: Source, line_of: Callable[[str], int], *, strict: bool
) -> tuple[Article | None, list[Problem]]:
    """The article of these fields, or None and the problems of all that are not valid.

    `line_of` gives the line of a field. With `strict`, an unknown field is a problem, and one without language; exports
    of other systems have many unknown fields, and their articles may have the language "".
    """
    values, problems = _named(fields, source, line_of, strict=strict)
    problem_of = _Reporter(source, line_of, _text(values.get("id")) or None)
    identity = _required(values, "id", problem_of)
    if identity and not _ID.fullmatch(identity):
        problem_of("id", f"id {identity[:80]!r} must have 1 to 200 characters, none of them a space, # or @")
    title = " ".join(_required(values, "title", problem_of).split())
    if len(title) > _MOST_TITLE_CHARS:
        problem_of("title", f"title has {len(title)} characters; {_MOST_TITLE_CHARS} at most")
    language = _required(values, "language", problem_of) if strict else _text(values.get("language"))
    match = _LANGUAGE.fullmatch(language)
    if language and not match:
        problem_of("language", f"language {language[:40]!r} is not a code such as en or zh")
    body = _body(values.get("body"))
    if not body.strip():
        problem_of("body", "the article has no text")
    elif len(body) > _MOST_BODY_CHARS:
        problem_of("body", f"the text has {len(body)} characters; {_MOST_BODY_CHARS} at most: split the article")
    audience = _audience(_text(values.get("audience")) or "public")
    if audience not in get_args(Audience):
        problem_of("audience", f"audience {audience[:40]!r} must be public or internal")
    kind = (_text(values.get("kind")) or "faq").lower()
    if kind not in get_args(ArticleKind):
        problem_of("kind", f"kind {kind[:40]!r} must be one of {', '.join(get_args(ArticleKind))}")
    first, last = (_day(values, name, problem_of) for name in ("valid_from", "valid_until"))
    if first and last and first > last:
        problem_of("valid_until", f"valid_until {last} is before valid_from {first}")
    if problems := [*problems, *problem_of.problems]:
        return None, problems
    return (
        Article(
            id=identity,
            title=_CONTROLS.sub(" ", title),
            language=match[1].lower() if match else "",
            body=body,
            audience=audience,  # type: ignore[arg-type]
            kind=kind,  # type: ignore[arg-type]
            product=_list(values.get("product")),
            intent=_list(values.get("intent")),
            valid_from=first,
            valid_until=last,
            source=f"{source.path.as_posix()}:{source.line}",
        ),
        [],
    )


class _Reporter:
    def __init__(self, source: Source, line_of: Callable[[str], int], article: str | None) -> None:
        self.problems: list[Problem] = []
        self._source, self._line_of, self._article = source, line_of, article

    def __call__(self, name: str, message: str) -> None:
        self.problems.append(Problem(self._source.path, self._line_of(name), message, self._article))


def _named(
    fields: Mapping[str, Any], source: Source, line_of: Callable[[str], int], *, strict: bool
) -> tuple[dict[str, Any], list[Problem]]:
    """Fields by their own names: `locale` is `language`, unless there is a `language` too."""
    values = {str(name).strip().lower(): value for name, value in fields.items()}
    for alias, name in _ALIASES.items():
        if alias in values and _text(values.get(name)) == "":
            values[name] = values[alias]
    if not strict:
        return values, []
    problems = [
        Problem(source.path, line_of(name), f"{name[:40]!r} is not a field of an article{did_you_mean(name, FIELDS)}",
                _text(values.get("id")) or None)
        for name in values
        if name not in FIELDS and name not in _ALIASES
    ]  # fmt: skip
    return values, problems


def _required(values: Mapping[str, Any], name: str, problem_of: _Reporter) -> str:
    text = _text(values.get(name))
    if not text:
        problem_of(name, f"{name} is missing")
    return text


def _body(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    if is_html(text):
        text = markdown_of(text)
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")


def _audience(text: str) -> str:
    lowered = text.lower()
    return "internal" if lowered in _PRIVATE else lowered


def _day(values: Mapping[str, Any], name: str, problem_of: _Reporter) -> str | None:
    text = _text(values.get(name))
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        problem_of(name, f"{name} {text[:40]!r} is not a date as 2026-12-31")
        return None


def _list(value: Any) -> list[str]:
    """A list of names: a list, or text with commas or semicolons."""
    items = value if isinstance(value, list) else re.split(r"[,;，；、]", _text(value))
    return sorted({text for item in items if (text := _text(item))})


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value).strip()
