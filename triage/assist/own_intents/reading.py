"""Reads example texts, other texts and labelled texts for own intents."""

from pathlib import Path

import msgspec
from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.reading import run_search
from triage.errors import ConfigError
from triage.packed import read_unpacked


class LabelledText(msgspec.Struct):
    """A text and its intent, as a line of JSON; the label may be missing."""

    text: str
    label: str = ""


def read_texts(path: Path) -> list[LabelledText]:
    """Texts of a file, one a line: plain, or JSON with `text` and perhaps `label`; repeated ones once.

    Raises ConfigError, naming the line.
    """
    try:
        content = read_unpacked(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    found: dict[str, LabelledText] = {}
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=LabelledText) if line.startswith("{") else LabelledText(line)
        except msgspec.MsgspecError as error:
            raise ConfigError(f"line {number}: {error}", where=str(path)) from error
        found.setdefault(" ".join(row.text.casefold().split()), row)
    if not found:
        raise ConfigError("has no texts: write one a line", where=str(path))
    return list(found.values())


def newest_texts(client: Elasticsearch, settings: ElasticsearchSettings, number: int) -> list[str]:
    """Texts of the `number` newest records of the index, repeated ones once.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    body = run_search(client, settings.index_prefix, size=number, sort=[{"@timestamp": "desc"}], source=["text"])
    return list(dict.fromkeys(hit["_source"]["text"] for hit in body["hits"]["hits"]))
