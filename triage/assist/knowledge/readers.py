"""Reads the articles of one file: Markdown, HTML, CSV, JSON or JSON lines."""

import csv
import io
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from selectolax.lexbor import LexborHTMLParser

from triage.assist.knowledge.fields import read_article
from triage.assist.knowledge.problems import Problem, Source
from triage.decoding import DecodeError, decoded
from triage.schemas.knowledge import Article

Read = tuple[Article | None, list[Problem], Source]
_MAX_BYTES = 64 * 1024 * 1024
_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
_FENCE = re.compile(r"---[ \t]*")


def read_file(path: Path, shown: Path) -> Iterator[Read]:
    """Yield every article of a file with its problems and position; `shown` is the path in messages."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= _MAX_BYTES else b""
    except OSError as error:
        yield None, [Problem(shown, 1, f"cannot be read: {error.strerror}")], Source(shown)
        return
    if content.startswith((_GZIP, _XZ)):
        packed = zlib.decompressobj(wbits=31) if content.startswith(_GZIP) else lzma.LZMADecompressor()
        try:
            content = packed.decompress(content, _MAX_BYTES + 1)
        except (zlib.error, lzma.LZMAError) as error:
            yield None, [Problem(shown, 1, f"is packed, but not readable: {error}")], Source(shown)
            return
        size = len(content)
    if size > _MAX_BYTES:
        yield None, [Problem(shown, 1, f"has {size} bytes; {_MAX_BYTES} at most: split the file")], Source(shown)
        return
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield None, [Problem(shown, line, "is not UTF-8: save it as UTF-8")], Source(shown, line)
        return
    yield from READERS[kind_of(path)](text, shown)


def kind_of(path: Path) -> str:
    """The ending that says how a file is read; that of `articles.jsonl.xz` is `.jsonl`."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz").removesuffix(".xz")).suffix


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
    if title := page.css_first("title"):
        fields.setdefault("title", title.text())
    if root := page.css_first("html"):
        fields.setdefault("language", root.attributes.get("lang") or "")
    # A page that is an article has no other id than its name.
    fields.setdefault("id", path.stem)

    def line_of(name: str) -> int:
        at = text.lower().find(f'name="{name}"')
        return text.count("\n", 0, at) + 1 if at >= 0 else 1

    yield *read_article({**fields, "body": text}, source, line_of, strict=False), source


def _csv(text: str, path: Path) -> Iterator[Read]:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_BYTES))
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    before = 0
    try:
        for row in rows:
            line, before = before + 1, rows.line_num
            if not header:
                header = row
            elif any(cell.strip() for cell in row):
                source = Source(path, line, line)
                yield *read_article(dict(zip(header, row, strict=False)), source, _at(line), strict=False), source
    except csv.Error as error:
        line = before + 1
        problem = Problem(path, line, f"the row that begins here is not valid CSV: {error}; is a quote left open?")
        yield None, [problem], Source(path, line)


def _json_lines(text: str, path: Path) -> Iterator[Read]:
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            yield _json_article(row, path, line)


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
    for number, item in enumerate(items, 1):
        identity = str(item.get("id", "")) if isinstance(item, dict) else ""
        found = re.search(rf'"id"\s*:\s*"?{re.escape(identity)}\b', text) if identity else None
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        yield _fields(item, path, line, f"article {number}")


def _json_article(row: str, path: Path, line: int) -> Read:
    try:
        item = decoded(json.loads, row)
    except DecodeError as error:
        return (
            None,
            [Problem(path, line, f"is not valid JSON: {error}")],
            Source(path, line),
        )
    return _fields(item, path, line, "the line")


def _fields(item: Any, path: Path, line: int, what: str) -> Read:
    source = Source(path, line, line)
    if not isinstance(item, Mapping):
        return None, [Problem(path, line, f"{what} must be a JSON object with id, title, language, body")], source
    return *read_article(item, source, _at(line), strict=False), source


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
