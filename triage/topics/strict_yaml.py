"""YAML that refuses duplicate keys: PyYAML keeps the last one silently, and a topic's wish would be lost."""

from typing import Any

import yaml
from yaml.nodes import MappingNode, ScalarNode


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: MappingNode) -> None:
        # A merge (<<) puts the merged keys into the node itself, where they would count as duplicates of the
        # overriding ones: check first, and keep the overriding ones only.
        super().flatten_mapping(node)
        last = {key.value if isinstance(key, ScalarNode) else id(key): (key, value) for key, value in node.value}
        node.value = list(last.values())


def load_strict(text: str) -> Any:
    """Parse YAML. Raises yaml.YAMLError, also for a key that stands twice in one mapping."""
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
