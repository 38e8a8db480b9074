"""Attributes are bounded: a source that sends thousands of keys must not grow every document."""

from collections.abc import Mapping

from triage.schemas.raw import Scalar


def bounded_attributes(
    attributes: Mapping[str, Scalar], max_keys: int, max_bytes: int
) -> tuple[dict[str, Scalar], bool]:
    """The first that fit `max_keys` and `max_bytes` (UTF-8 of keys and values), and whether any were dropped."""
    kept: dict[str, Scalar] = {}
    size = 0
    for name, value in attributes.items():
        size += len(name.encode("utf-8", "replace")) + len(str(value).encode("utf-8", "replace"))
        if len(kept) == max_keys or size > max_bytes:
            return kept, True
        kept[name] = value
    return kept, False
