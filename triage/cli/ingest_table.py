"""Preview of `triage ingest`: the field that each column becomes, and with --dry-run the first records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from triage.sources.header import Column
    from triage.sources.rows import Row

SAMPLE_ROWS = 100
_SHOWN_RECORDS = 3
_SHOWN_CHARS = 2_000
_FIELD_NOTES = {"text": "personal data is replaced", "author_id": "stored as a keyed hash"}


@dataclass
class Preview:
    """Preview of a file from its first rows.

    `columns` are those of the header (empty for JSON lines), `payloads` the first records as they would be sent.
    """

    path: str
    columns: "Sequence[Column]" = ()
    payloads: list[bytes] = field(default_factory=list)

    def add(self, row: "Row") -> None:
        if row.payload:
            self.payloads.append(row.payload)

    def table(self) -> list[str]:
        """Format the columns of the file as lines, each with the field that the column becomes."""
        columns = list(self.columns) or _columns_of(self.payloads)
        width = min(40, max((len(each.name) for each in columns), default=0))
        lines = [f"{each.name or '(no name)':<{width}}  {_fate(each)}" for each in columns]
        return [f"{self.path}: what each column becomes", *(f"  {line}" for line in lines)]

    def records(self) -> list[str]:
        """The first records of the file as JSON, as they would be sent."""
        shown = [payload.decode("utf-8") for payload in self.payloads[:_SHOWN_RECORDS]]
        return [text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…" for text in shown]


def _columns_of(payloads: Sequence[bytes]) -> "list[Column]":
    """The fields that occur in JSON lines, as columns with the same names."""
    from triage.sources.header import FIELDS, Column, attribute_column

    names: dict[str, None] = {}
    for payload in payloads:
        fields: dict[str, Any] = msgspec.json.decode(payload)
        attributes = fields.pop("attributes", None) or {}
        names |= dict.fromkeys([*fields.keys() & set(FIELDS)])
        names |= dict.fromkeys(_leaves({key: item for key, item in fields.items() if key not in FIELDS} | attributes))
    order = {name: index for index, name in enumerate(FIELDS)}
    ordered = sorted(names, key=lambda name: order.get(name, len(order)))
    return [Column(name, name, "field") if name in FIELDS else attribute_column(name) for name in ordered]


def _leaves(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> list[str]:
    found = []
    for key, item in value.items():
        if isinstance(item, dict) and depth < 8:
            found += _leaves(item, f"{prefix}{key}.", depth + 1)
        elif item is not None:
            found.append(f"{prefix}{key}")
    return found


def _fate(column: "Column") -> str:
    note = f" ({column.note})" if column.note else ""
    match column.fate:
        case "field":
            meaning = _FIELD_NOTES.get(column.key)
            return f"field {column.key}" + (f", {meaning}" if meaning else "") + note
        case "kept":
            renamed = f" as {column.key}" if column.key != column.name else ""
            return f"kept{renamed}{note}"
        case "hidden":
            return f"hidden: personal data{note}"
        case "hashed":
            return f"hashed: an id of a person{note}"
        case _:
            return f"dropped{note}"
