"""Reads rows with a text and one label per head, and maps a dataset's labels to those of the taxonomy."""

from collections.abc import Iterable, Mapping
from typing import Any

from triage.errors import TrainingError
from triage.training.data.examples import Example


def read_labelled(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    """Examples of rows with a `text`; `entry` has the rules for `intent` and `sentiment` (see `map_label`)."""
    for row in rows:
        text = row["text"].strip()
        if text:
            intent = map_label(source, entry.get("intent"), row)
            yield Example(text, source, intent=intent, sentiment=map_label(source, entry.get("sentiment"), row))


def map_label(source: str, rule: Mapping[str, Any] | None, row: Mapping[str, Any]) -> str | None:
    """Label of the taxonomy for one head of `row`; None if the row has no usable label for that head.

    A rule is `constant: LABEL`, or `field: NAME` with an optional `map: {dataset label: taxonomy label or null}` and an
    optional `default` for labels that are not in the map. Without a map the value of the field is the label. A field
    that holds a list is used only if the list has exactly one value: a row with two intents has no single correct
    label.

    Without a default, raises TrainingError for a label that is not in the map: new labels in a dataset are never
    ignored silently.
    """
    if rule is None:
        return None
    if "constant" in rule:
        return str(rule["constant"])
    value = row.get(rule["field"])
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if value is None:
        return None
    if "map" not in rule:
        return str(value)
    labels: Mapping[Any, str | None] = rule["map"]
    if value in labels:
        return labels[value]
    if "default" in rule:
        default: str | None = rule["default"]
        return default
    raise TrainingError(
        f"{source}: {rule['field']} {value!r} is not in the map; add it under {source} in sources.yaml, "
        "or give a default"
    )
