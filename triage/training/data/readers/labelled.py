"""Rows with a text and one label a head: intents, stars, polarity."""

from collections.abc import Iterable
from typing import Any

from triage.training.data.examples import Example
from triage.training.data.readers.mapping import mapped


def read_labelled(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    for row in rows:
        text = row["text"].strip()
        if text:
            intent = mapped(source, entry.get("intent"), row)
            yield Example(text, source, intent=intent, sentiment=mapped(source, entry.get("sentiment"), row))
