"""Converts values of topic settings between the units of `topics.yaml` and those of Kafka."""

import re

_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
_QUANTITY = re.compile(r"(\d+)\s*([A-Za-z]+)")


def config_value(name: str, value: str | float | bool) -> str:
    """Convert a value of the topic setting `name` to Kafka's notation, such as `retention.ms: 3d` to `259200000`.

    Raises ValueError, which names the value and the possible units, for an unknown unit.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    text = value.strip()
    units = _units(name)
    if not units or re.fullmatch(r"-?\d+", text):
        return text
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(f"{name}: {value!r} is not a number with one of the units {', '.join(units)}")
    return str(int(match[1]) * units[match[2]])


def readable(name: str, value: str) -> str:
    """Add a larger unit to a value of the setting `name`, such as `259200000 (3d)`, if it is a whole number of it.

    Other values are returned unchanged.
    """
    units = _units(name)
    if not value.isdigit() or value == "0":
        return value
    for unit, factor in reversed(units.items()):
        if factor > 1 and int(value) % factor == 0:
            return f"{value} ({int(value) // factor}{unit})"
    return value


def same_value(name: str, one: str, other: str) -> bool:
    """True if two values of a topic setting mean the same to Kafka; the order of cleanup policies does not matter."""
    if name == "cleanup.policy":
        return {part.strip() for part in one.split(",")} == {part.strip() for part in other.split(",")}
    return one == other


def _units(name: str) -> dict[str, int]:
    if name.endswith(".ms"):
        return _MS
    return _BYTES if name.endswith(".bytes") else {}
