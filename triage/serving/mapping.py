"""Converts the JSON of a help desk's webhook to a raw record, using one path per field."""

from collections.abc import Mapping
from typing import Any

from triage.errors import InvalidRecord

_ATTRIBUTES = "attributes."


def mapped(mapping: Mapping[str, str], body: Any) -> dict[str, Any]:
    """Extract the fields of a raw record from a webhook's body; `mapping` has a path for each field.

    Everything else is dropped, including personal data. A path is dotted (`detail.comments.0.body`; numbers index
    lists). Alternatives are separated by `|`: the first one with a value is used. A path in double quotes is a constant
    (`"zendesk"`). A field without a value is left out; a record without a text is refused later. Raises InvalidRecord
    for a body that is not an object.
    """
    if not isinstance(body, dict):
        raise InvalidRecord("not_an_object", "a webhook's body is a JSON object", stage="decode")
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for field, path in mapping.items():
        value = _value(path, body)
        if value is None or value == "":
            continue
        if field.startswith(_ATTRIBUTES):
            attributes[field.removeprefix(_ATTRIBUTES)] = value
        else:
            fields[field] = value
    return fields | {"attributes": attributes} if attributes else fields


def _value(path: str, body: Any) -> Any:
    for each in path.split("|"):
        alternative = each.strip()
        if len(alternative) > 1 and alternative[0] == alternative[-1] == '"':
            return alternative[1:-1]
        value = _follow(alternative, body)
        if value is not None and value != "":
            return value
    return None


def _follow(path: str, body: Any) -> Any:
    found = body
    for step in path.split("."):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found
