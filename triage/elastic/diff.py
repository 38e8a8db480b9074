"""Compares settings and mappings in Elasticsearch with the desired ones."""

from collections.abc import Iterator, Mapping
from typing import Any

from triage.elastic.mapping import JsonObject

_ABSENT = "(none)"


def differences(actual: Any, desired: Any, path: str = "") -> Iterator[str]:
    """Yield `path: old -> new` for every leaf that differs or is missing on one side.

    A number equals its text form, because Elasticsearch returns settings as text.
    """
    if isinstance(actual, Mapping) and isinstance(desired, Mapping):
        for key in sorted({*actual, *desired}):
            yield from differences(
                actual.get(key, _ABSENT), desired.get(key, _ABSENT), f"{path}.{key}" if path else str(key)
            )
    elif _leaf(actual) != _leaf(desired):
        yield f"{path}: {_leaf(actual)} -> {_leaf(desired)}"


def missing_properties(actual: Mapping[str, Any], desired: Mapping[str, Any]) -> JsonObject:
    """The fields of `desired` that `actual` lacks, both the `properties` of a mapping, nested fields included.

    Fields below one that is not an object in `actual` are left out, because they cannot be added.
    """
    missing: JsonObject = {}
    for name, definition in desired.items():
        if name not in actual:
            missing[name] = definition
        else:
            inner = missing_properties(actual[name].get("properties", {}), definition.get("properties", {}))
            if inner and "properties" in actual[name]:
                missing[name] = {"properties": inner}
    return missing


def incompatible_properties(actual: Mapping[str, Any], desired: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield `path: old -> new` for each field that both mappings have, with different definitions."""
    for name in sorted(actual.keys() & desired.keys()):
        here = f"{path}{name}"
        old, new = actual[name], desired[name]
        if "properties" in old and "properties" in new:
            yield from incompatible_properties(old["properties"], new["properties"], f"{here}.")
        else:
            yield from differences(old, new, here)


def _leaf(value: Any) -> str:
    if value == {}:  # Elasticsearch does not distinguish an empty object from a missing one
        return _ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {_leaf(value[key])}" for key in sorted(value))
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_leaf(item) for item in value)}]"
    return str(value)
