"""Drafts an alert rule for an emerging topic: as YAML, with the values that most of its records have."""

from collections.abc import Sequence

import yaml

from triage.schemas.topic import EmergingTopic

# Of fields counted apart, the one that says most about a topic.
_TELLING = ("product", "brand", "region", "channel")


def draft_rule(topic: EmergingTopic, number: int, dimensions: Sequence[Sequence[str]]) -> str | None:
    """Return an alert rule for the topic as YAML; `number` makes its name, such as `topic-3`.

    Rules count fields, not texts. `dimensions` are the combinations of fields that can be counted: the rule takes the
    largest of which the topic has a value for each field, because most of its records share it. None without one: such
    a rule would watch all records.
    """
    shared = [names for names in dimensions if names and all(name in topic.fields for name in names)]
    if not shared:
        return None
    counted = max(shared, key=lambda names: (len(names), -min(map(_place, names))))
    rule: dict[str, object] = {"name": f"topic-{number}", "dimension": list(counted)}
    rule["where"] = {name: {"in": [topic.fields[name]]} for name in counted}
    rule["spike"] = {}
    heading = ", ".join(topic.words) or f"topic {number}"
    shown = yaml.safe_dump([rule], sort_keys=False, allow_unicode=True, default_flow_style=False)
    return f"# {heading}\n{shown}"


def _place(name: str) -> int:
    return _TELLING.index(name) if name in _TELLING else len(_TELLING)
