"""Reads and checks custom data: labelled texts of a user or of this project, in JSONL or CSV, plain or packed."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from triage.errors import TrainingError
from triage.packed import OPENERS
from triage.training.data.examples import Entity, Example
from triage.training.data.labels import RESOURCES, SENTIMENTS, Taxonomy

MOST_SHOWN = 10
"""Problems named in an error."""


def read_custom_data(
    path: Path,
    taxonomy: Taxonomy,
    *,
    text_column: str = "text",
    intent_column: str = "intent",
    sentiment_column: str = "sentiment",
    source: str = "own",
) -> list[Example]:
    """Examples of rows with a text and any of intent, sentiment, entities and aspects; an empty label is unknown.

    `entities` (JSONL only) is a list of {text, label, start, end} in code points, `aspects` a list of {label,
    polarity}. A row that has `entities` is taken as annotated for every entity type of the taxonomy, and one that has
    `aspects` for every aspect. Raises TrainingError naming the line, field and value of each invalid row, or a column
    that is missing.
    """
    columns = {"text": text_column, "intent": intent_column, "sentiment": sentiment_column}
    examples, problems = [], []
    fields: dict[str, None] = {}
    try:
        for line, row in _rows(path):
            fields |= dict.fromkeys(row) if isinstance(row, dict) else {}
            found = list(_check(row, columns, taxonomy)) if isinstance(row, dict) else ["is not an object"]
            problems += [f"line {line}: {problem}" for problem in found]
            if not found:
                examples.append(_example(row, columns, taxonomy, source))
    except (OSError, EOFError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    if fields:
        _require_columns(path, columns, fields)
    if problems:
        more = f"\n  ... and {len(problems) - MOST_SHOWN} more" if len(problems) > MOST_SHOWN else ""
        raise TrainingError(f"{path}:" + "".join(f"\n  {problem}" for problem in problems[:MOST_SHOWN]) + more)
    if not examples:
        raise TrainingError(f"{path} holds no rows")
    if not any(example.labelled for example in examples):
        raise TrainingError(f"{path}: no row has a label; the fields are {', '.join(map(str, fields))}")
    return examples


def project_texts(split: str, taxonomy: Taxonomy) -> list[Example]:
    """The project's own labelled texts; `split` is train or validation (see resources/README.md)."""
    return read_custom_data(Path(str(RESOURCES / f"own_{split}.jsonl.bz2")), taxonomy, source="own")


def _require_columns(path: Path, columns: dict[str, str], fields: Iterable[Any]) -> None:
    """Raise TrainingError without the column of the text, or a label column that was given another name."""
    present = list(fields)
    required = [column for name, column in columns.items() if name == "text" or column != name]
    if missing := [column for column in required if column not in present]:
        raise TrainingError(
            f"{path}: no row has a field {' or '.join(missing)}; the fields are {', '.join(map(str, present))}"
        )


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line number, row) of each row; the row is None for a line that is not JSON."""
    packed = path.suffix.lower() in OPENERS
    opener = OPENERS[path.suffix.lower()] if packed else open
    if (path.with_suffix("") if packed else path).suffix.lower() == ".csv":
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                yield reader.line_num, row
        return
    with opener(path, "rt", encoding="utf-8") as file:
        for line, content in enumerate(file, start=1):
            if not content.strip():
                continue
            try:
                yield line, json.loads(content)
            except ValueError:
                yield line, None


def _check(row: dict[str, Any], columns: dict[str, str], taxonomy: Taxonomy) -> Iterable[str]:
    text = row.get(columns["text"])
    if not isinstance(text, str) or not text.strip():
        yield f"{columns['text']} is missing or empty"
        return
    for field, known in (("intent", taxonomy.intents), ("sentiment", taxonomy.sentiments)):
        label = row.get(columns[field])
        if label and label not in known:
            yield f"{columns[field]} {label!r} is not in the taxonomy ({', '.join(known)})"
    yield from _aspect_problems(row, taxonomy)
    for entity in row.get("entities") or ():
        if not isinstance(entity, dict) or not {"text", "label", "start", "end"} <= set(entity):
            yield f"entity {entity!r} needs text, label, start and end"
        elif entity["label"] not in taxonomy.entity_types:
            yield f"entity label {entity['label']!r} is not in the taxonomy ({', '.join(taxonomy.entity_types)})"
        elif text[entity["start"] : entity["end"]] != entity["text"]:
            yield f"entity {entity['text']!r} is not the text at {entity['start']}..{entity['end']}"


def _aspect_problems(row: dict[str, Any], taxonomy: Taxonomy) -> Iterable[str]:
    for aspect in (row.get("aspects") or ()) if taxonomy.aspects else ():
        if not isinstance(aspect, dict) or not {"label", "polarity"} <= set(aspect):
            yield f"aspect {aspect!r} needs label and polarity"
        elif aspect["label"] not in taxonomy.aspects:
            yield f"aspect {aspect['label']!r} is not in the taxonomy ({', '.join(taxonomy.aspects)})"
        elif aspect["polarity"] not in SENTIMENTS:
            yield f"polarity {aspect['polarity']!r} of an aspect is not one of {', '.join(SENTIMENTS)}"


def _example(row: dict[str, Any], columns: dict[str, str], taxonomy: Taxonomy, source: str) -> Example:
    tagged = row.get("entities")
    aspects = row.get("aspects") if taxonomy.aspects else None
    entities = None if tagged is None else tuple(Entity(e["start"], e["end"], e["label"]) for e in tagged)
    return Example(
        row[columns["text"]],
        source,
        intent=row.get(columns["intent"]) or None,
        sentiment=row.get(columns["sentiment"]) or None,
        entities=entities,
        known_types=taxonomy.entity_types if entities is not None else (),
        aspects=None if aspects is None else tuple((aspect["label"], aspect["polarity"]) for aspect in aspects),
        known_aspects=taxonomy.aspects if aspects is not None else (),
    )
