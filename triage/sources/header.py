"""Maps each column of a table to a field of the record or an attribute, or drops it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from triage.errors import ConfigError
from triage.redaction.fieldnames import is_person_id, is_personal
from triage.schemas.raw import INTERNAL_FIELDS, RawRecord

Fate = Literal["field", "kept", "hidden", "hashed", "dropped"]
FIELDS = tuple(
    each.name for each in msgspec.structs.fields(RawRecord) if each.name not in INTERNAL_FIELDS
)  # fmt: skip
# `Channel` of a help desk is e-mail or chat, `Version` an app's, `Attributes` need not be JSON.
_EXACT_ONLY = ("channel", "version", "attributes")
_USUAL_NAMES = {
    "createdtime": "created_at", "createddate": "created_at", "created": "created_at", "creationdate": "created_at",
    "creationtime": "created_at", "datecreated": "created_at", "dateandtimecreated": "created_at",
    "ticketid": "id", "reviewid": "id", "caseid": "id", "complaintid": "id", "commentid": "id", "issuekey": "id",
    "starrating": "rating", "stars": "rating",
}  # fmt: skip
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file, and its role in the records.

    `key` is the raw field or attribute that it becomes, "" if it is dropped. `fate` is the role; for an attribute, it
    is how redaction treats it: kept, hidden or hashed. `note` is a remark for the user.
    """

    name: str
    key: str
    fate: Fate
    note: str = ""


def clean_name(name: str) -> str:
    """Return a column's name without invisible characters and surrounding white space, with single plain spaces."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", name)).split())


def plan_columns(
    cells: Sequence[str], where: str, mapped: Mapping[str, str], preset: Mapping[str, Sequence[str]] | None = None
) -> list[Column]:
    """Determine the role of each column of a header; returns the columns in order.

    `mapped` maps raw fields to column names given by the user, `preset` to the names that the source uses. Other fields
    are found by their own name, in any case and spelling, or by a usual one (`Created at`). `where` names the file in
    messages. Raises ConfigError for a missing or repeated column.
    """
    names = [clean_name(cell) for cell in cells]
    found = _Owners(names)
    found.by_user(mapped)
    found.by_preset(preset or {})
    for field in (*FIELDS, "channel"):
        if field not in found.fields.values() and field not in mapped:
            found.by_name(field)
    owners, problems, notes = found.fields, found.problems, found.notes
    if "text" not in owners.values() and not problems:
        present = ", ".join(name for name in names if name) or "none"
        problems.append(
            f"no column 'text'; the file has: {present}. Name the one that holds the feedback: --column text=NAME"
        )
    if problems:
        raise ConfigError(problems, where=where)
    columns, seen = [], Counter[str]()
    taken = {*owners.values()}
    for index, name in enumerate(names):
        seen[name] += 1
        if index in owners:
            columns.append(Column(name, owners[index], "field", notes.get(index, "")))
        elif not name:
            columns.append(Column(name, "", "dropped", "it has no name"))
        elif name in FIELDS and name in taken:
            columns.append(Column(name, "", "dropped", f"another column is mapped to {name}"))
        else:
            columns.append(attribute_column(name, seen[name], notes.get(index, "")))
    return columns


def attribute_column(name: str, occurrence: int = 1, note: str = "") -> Column:
    """Return the column `name` as an attribute; the second one of that name (`occurrence` 2) gets the key `name#2`.

    The column is dropped if redaction would not recognize it as personal under that key.
    """
    key = name if occurrence == 1 else f"{name}#{occurrence}"
    fate = _fate(key)
    if fate != _fate(name):
        # Redaction goes by names: under this one it would not be recognized.
        return Column(name, "", "dropped", "it repeats a personal column")
    return Column(name, key, fate, note)


def recognized(columns: Iterable[Column]) -> list[str]:
    """Return a text like `'Id' as id` for each column that was recognized as a field under another name."""
    return [f"{each.name!r} as {each.key}" for each in columns if each.fate == "field" and each.note]


def _fate(name: str) -> Fate:
    path = name.split(".")
    return "hashed" if is_person_id(path) else "hidden" if is_personal(path) else "kept"


class _Owners:
    """Finds the column of each raw field. `fields` maps the index of a column to the raw field that it becomes."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.fields: dict[int, str] = {}
        self.problems: list[str] = []
        self.notes: dict[int, str] = {}

    def by_user(self, mapped: Mapping[str, str]) -> None:
        for field, column in mapped.items():
            found = _indices(self._names, clean_name(column))
            if not found:
                present = ", ".join(name for name in self._names if name) or "none"
                self.problems.append(f"no column {column!r}, which --column names for {field}; the file has: {present}")
            elif len(found) > 1:
                self.problems.append(_repeated(field, [self._names[index] for index in found]))
            else:
                self.fields[found[0]] = field

    def by_preset(self, preset: Mapping[str, Sequence[str]]) -> None:
        for field, candidates in preset.items():
            found = [index for each in candidates for index in self._free(_indices(self._names, each))]
            if found and field not in self.fields.values():
                self.fields[found[0]] = field

    def by_name(self, field: str) -> None:
        found = self._free(_candidates(self._names, field))
        exact = [index for index in found if self._names[index] == field]
        if len(exact or found) == 1:
            index = (exact or found)[0]
            self.fields[index] = field
            if not exact:
                self.notes[index] = "recognized by its name"
        elif exact or (found and field == "text"):
            self.problems.append(_repeated(field, [self._names[index] for index in exact or found]))
        else:
            note = f"more than one column can be {field}; name it: --column {field}=NAME"
            self.notes |= dict.fromkeys(found, note)

    def _free(self, indices: Iterable[int]) -> list[int]:
        return [index for index in indices if index not in self.fields]


def _candidates(names: Sequence[str], field: str) -> list[int]:
    exact = [index for index, name in enumerate(names) if name == field]
    if exact or field in _EXACT_ONLY:
        return exact
    same = [index for index, name in enumerate(names) if _plain(name) == _plain(field)]
    return same or [index for index, name in enumerate(names) if _USUAL_NAMES.get(_plain(name)) == field]


def _indices(names: Sequence[str], wanted: str) -> list[int]:
    """Return the indices of the columns of this name, else of those that differ only in case, spaces and signs."""
    exact = [index for index, name in enumerate(names) if name == wanted]
    plain = _plain(wanted)
    return exact or [index for index, name in enumerate(names) if plain and _plain(name) == plain]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


def _repeated(field: str, names: Iterable[str]) -> str:
    return f"more than one column is called {', '.join(sorted(set(names)))}; rename the one that is not {field}"
