"""Drafts an alert rule for an emerging topic: as YAML, with the values that most of its records have."""

from collections.abc import Sequence

import yaml

from triage.schemas.topic import EmergingTopic


def draft_rule(topic: EmergingTopic, number: int, dimensions: Sequence[Sequence[str]]) -> str:
    """Return an alert rule for the topic as YAML; `number` makes its name, such as `topic-3`.

    Rules count fields, not texts. `dimensions` are the combinations of fields that can be counted: the rule takes the
    largest of which the topic has a value for each field, because most of its records share it.
    """
    counted = max((names for names in dimensions if all(name in topic.fields for name in names)), key=len, default=())
    rule: dict[str, object] = {"name": f"topic-{number}", "dimension": list(counted)}
    if counted:
        rule["where"] = {name: {"in": [topic.fields[name]]} for name in counted}
    rule["spike"] = {}
    heading = ", ".join(topic.words)
    shown = yaml.safe_dump([rule], sort_keys=False, allow_unicode=True, default_flow_style=False)
    return f"# {heading}\n{shown}"
