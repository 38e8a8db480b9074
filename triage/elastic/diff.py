"""What differs between what Elasticsearch has and what it should have."""

from collections.abc import Iterator, Mapping
from typing import Any

from triage.elastic.mapping import JsonObject

_ABSENT = "(none)"


def differences(actual: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """`path: old -> new` for every leaf that differs, both ways.

    A number and its text are equal: Elasticsearch gives settings back as text.
    """
    if isinstance(actual, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*actual, *wanted}):
            yield from differences(
                actual.get(key, _ABSENT), wanted.get(key, _ABSENT), f"{path}.{key}" if path else str(key)
            )
    elif _leaf(actual) != _leaf(wanted):
        yield f"{path}: {_leaf(actual)} -> {_leaf(wanted)}"


def missing_properties(actual: Mapping[str, Any], wanted: Mapping[str, Any]) -> JsonObject:
    """The part of a mapping's `properties` that can be added to `actual`: fields that it does not have."""
    missing: JsonObject = {}
    for name, definition in wanted.items():
        if name not in actual:
            missing[name] = definition
        else:
            inner = missing_properties(actual[name].get("properties", {}), definition.get("properties", {}))
            if inner and "properties" in actual[name]:
                missing[name] = {"properties": inner}
    return missing


def incompatible_properties(actual: Mapping[str, Any], wanted: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """`path: old -> new` for fields that both have, but not alike."""
    for name in sorted(actual.keys() & wanted.keys()):
        here = f"{path}{name}"
        old, new = actual[name], wanted[name]
        if "properties" in old and "properties" in new:
            yield from incompatible_properties(old["properties"], new["properties"], f"{here}.")
        else:
            yield from differences(old, new, here)


def _leaf(value: Any) -> str:
    if value == {}:  # an empty object and none are the same to Elasticsearch
        return _ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {_leaf(value[key])}" for key in sorted(value))
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_leaf(item) for item in value)}]"
    return str(value)
