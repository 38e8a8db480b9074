"""From a source's own label to ours, as sources.yaml says it."""

from collections.abc import Mapping
from typing import Any

from triage.errors import TrainingError


def mapped(source: str, rule: Mapping[str, Any] | None, row: Mapping[str, Any]) -> str | None:
    """Our label of `row` for one head, or None where the row teaches that head nothing.

    A rule is `constant: LABEL`, or `field: NAME` with `map: {theirs: ours}` (ours may be null) and `default`
    for what the map does not name. Without a map the field's own value is taken; without a default an unknown
    value is an error, so that a new label in the data is never passed over in silence. A field that holds a
    list counts only with exactly one value: two intents in a row would teach both wrongly.
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
        f"{source}: {rule['field']} {value!r} is in no map; name it under {source} in sources.yaml, or give a default"
    )
