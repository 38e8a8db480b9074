"""Reads the articles of one file: Markdown, HTML, CSV, JSON or JSON lines."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from selectolax.lexbor import LexborHTMLParser

from triage.assist.knowledge.exports import fields_of_export
from triage.assist.knowledge.fields import read_article
from triage.assist.knowledge.problems import Problem, Source
from triage.assist.rows import Row, UnreadableTextError, csv_rows, json_rows, kind_of, read_text
from triage.decoding import DecodeError, decoded
from triage.schemas.knowledge import Article

Read = tuple[Article | None, list[Problem], Source]
"""An article, or None with its problems; without any it is not published."""
_FENCE = re.compile(r"---[ \t]*")


def read_file(path: Path, shown: Path) -> Iterator[Read]:
    """Yield every article of a file with its problems and position; `shown` is the path in messages."""
    try:
        text = read_text(path)
    except UnreadableTextError as error:
        yield None, [Problem(shown, error.line, str(error))], Source(shown, error.line)
        return
    yield from READERS[kind_of(path)](text, shown)


def _markdown(text: str, path: Path) -> Iterator[Read]:
    lines = text.split("\n")
    end = next((at for at, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line)), None)
    if not _FENCE.fullmatch(lines[0]) or end is None:
        fix = "begin the file with a line ---, the fields (id: ..., title: ..., language: ...) and a line ---"
        yield None, [Problem(path, 1, f"has no front matter; {fix}")], Source(path)
        return
    source = Source(path, 1, end + 2)
    try:
        # Every value as it was written: `no` is a language, and 0012 an id.
        fields = decoded(yaml.load, "\n".join(lines[1:end]), yaml.YAMLError, Loader=yaml.BaseLoader)
    except DecodeError as error:
        mark = getattr(error.__cause__, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        said = getattr(error.__cause__, "problem", None) or str(error)
        yield None, [Problem(path, line, f"the front matter is not valid YAML: {said}")], source
        return
    if not isinstance(fields, dict):
        yield None, [Problem(path, 2, "the front matter must be fields, as id: returns")], source
        return

    def line_of(name: str) -> int:
        if name == "body":
            return source.body_line
        field = re.compile(rf"['\"]?{re.escape(name)}['\"]?\s*:", re.IGNORECASE)
        return next((at + 1 for at, line in enumerate(lines[:end]) if field.match(line)), 1)

    body = "\n".join(lines[end + 1 :])
    yield *read_article({**fields, "body": body}, source, line_of, strict=True), source


def _html(text: str, path: Path) -> Iterator[Read]:
    if text.startswith("---\n"):
        yield from _markdown(text, path)
        return
    page = LexborHTMLParser(text)
    source = Source(path)
    fields: dict[str, Any] = {}
    for node in page.css("meta[name]"):
        fields[(node.attributes.get("name") or "").strip().lower()] = node.attributes.get("content") or ""
    if title := _title(page):
        fields.setdefault("title", title)
    if root := page.css_first("html"):
        fields.setdefault("language", root.attributes.get("lang") or "")
    # A page that is an article has no other id than its name.
    fields.setdefault("id", path.stem)

    def line_of(name: str) -> int:
        at = text.lower().find(f'name="{name}"')
        return text.count("\n", 0, at) + 1 if at >= 0 else 1

    yield _exported({**fields, "body": text}, source, line_of)


def _title(page: LexborHTMLParser) -> str:
    """The title of a page, without the name of the site if its only main heading says so."""
    node = page.css_first("title")
    title = " ".join(node.text().split()) if node else ""
    headings = [" ".join(each.text().split()) for each in page.css("h1")]
    return headings[0] if len(headings) == 1 and headings[0] and headings[0] in title else title


def _rows(rows: Iterator[Row], path: Path) -> Iterator[Read]:
    for row in rows:
        source = Source(path, row.line, row.line)
        if row.fields is None:
            yield None, [Problem(path, row.line, row.problem)], source
        else:
            yield _exported(row.fields, source, _at(row.line))


def _csv(text: str, path: Path) -> Iterator[Read]:
    return _rows(csv_rows(text), path)


def _json_lines(text: str, path: Path) -> Iterator[Read]:
    return _rows(json_rows(text), path)


def _json(text: str, path: Path) -> Iterator[Read]:
    """A list of articles, or an object that holds one as `articles`: the exports of help centres."""
    try:
        content = decoded(json.loads, text)
    except DecodeError as error:
        line = getattr(error.__cause__, "lineno", 1)
        yield None, [Problem(path, line, f"is not valid JSON: {error}")], Source(path, line)
        return
    items = content.get("articles", content) if isinstance(content, dict) else content
    items = [items] if isinstance(items, dict) else items
    if not isinstance(items, list):
        yield None, [Problem(path, 1, "must hold a list of articles")], Source(path)
        return
    at = 0
    for number, item in enumerate(items, 1):
        identity = str(item.get("id", "")) if isinstance(item, dict) else ""
        found = re.compile(rf'"id"\s*:\s*"?{re.escape(identity)}\b').search(text, at) if identity else None
        # Articles stand in this order: a translation has the id of the original.
        at = found.end() if found else at
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        yield _fields(item, path, line, f"article {number}")


def _fields(item: Any, path: Path, line: int, what: str) -> Read:
    source = Source(path, line, line)
    if not isinstance(item, Mapping):
        return None, [Problem(path, line, f"{what} must be a JSON object with id, title, language, body")], source
    return _exported(item, source, _at(line))


def _exported(fields: Mapping[str, Any], source: Source, line_of: Callable[[str], int]) -> Read:
    values = fields_of_export(fields)
    if values is None:
        return None, [], source
    return *read_article(values, source, line_of, strict=False), source


def _at(line: int) -> Callable[[str], int]:
    return lambda _: line


READERS: dict[str, Callable[[str, Path], Iterator[Read]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
}
