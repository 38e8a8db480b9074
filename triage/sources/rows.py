"""Builds validated rows, and the bytes to send to Kafka, from the decoded fields of a file."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from triage.clock import Clock, rfc3339
from triage.decoding import DecodeError, decoded
from triage.errors import InvalidRecord
from triage.schemas.event_time import TimeForm, event_time_ms, is_absent, not_in_future
from triage.schemas.raw import RawRecord, validate_raw
from triage.schemas.version import named_version
from triage.sources.cells import is_rounded, read_rating, unguarded
from triage.sources.notes import FileNotes
from triage.types import Channel

_MS_DIGITS = 13
# Fields whose loss leaves a record that is worth keeping.
_OPTIONAL = ("brand", "product", "region", "language", "url")
# Where `N/A` means that there is none: as an id it would make one document of many rows.
_MAY_BE_ABSENT = (*_OPTIONAL, "id", "source", "author_id", "created_at")
_MAX_FIELD_CHARS = 1_000
ZoneOf = Callable[[Channel, str | None], tzinfo | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an input file: either valid, with `record` and `payload`, or refused, with `error`.

    `line` is the first line of the row, from 1. `payload` is the JSON for Kafka: the fields as given, but without
    `channel`, which the topic determines; b"" for a refused row.
    """

    source: str
    line: int
    channel: Channel
    record: RawRecord | None = None
    error: InvalidRecord | None = None
    payload: bytes = b""


class RowBuilder:
    """Builds the rows of one input file, called `source` in messages.

    `channel` overrides the rows' own; the default is complaint. `columns` maps raw fields to the names in the file,
    `presets` to several names, of which the first one in a row is used; dots select fields of nested objects. With a
    `clock`, a `created_at` more than `max_future_hours` in the future is refused. A `time_form` converts `created_at`
    to RFC 3339; without it, `zone_of` determines the zone in which the worker will read a time without an offset. With
    `notes`, an optional field that cannot be read is left out and reported; without, its row is refused. `constants`
    are values of fields that a row lacks.
    """

    def __init__(
        self,
        source: str,
        channel: Channel | None,
        columns: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        max_future_hours: float = 24,
        max_text_chars: int = 20_000,
        *,
        presets: Mapping[str, Sequence[str]] | None = None,
        constants: Mapping[str, str] | None = None,
        default_channel: Channel = Channel.COMPLAINT,
        time_form: TimeForm | None = None,
        zone_of: ZoneOf | None = None,
        notes: FileNotes | None = None,
    ) -> None:
        self._presets = dict(presets or {})
        self._constants = dict(constants or {})
        self._default_channel = default_channel
        self._time_form = time_form
        self._zone_of = zone_of
        self._notes = notes
        self._source = source
        self._channel = channel
        self._columns = dict(columns or {})
        self._clock = clock
        self._max_future_hours = max_future_hours
        self._max_text_chars = max_text_chars

    def for_table(self) -> "RowBuilder":
        """Return a copy of this builder for a table whose header names the fields, without `columns` and `presets`."""
        builder = copy(self)
        builder._columns, builder._presets = {}, {}  # noqa: SLF001 - of the same class
        return builder

    def refused(self, line: int, error: InvalidRecord) -> Row:
        return Row(self._source, line, self._channel or self._default_channel, error=error)

    def build(self, line: int, decode: Callable[[], dict[str, Any]]) -> Row:
        """Build the row that begins on line `line` from the fields that `decode` returns.

        The row is refused if `decode` or the validation raises InvalidRecord.
        """
        channel = self._channel or self._default_channel
        try:
            fields = self._renamed(decode())
            channel = self._channel_of(fields.pop("channel", None))
            if self._notes is not None:
                self._leave_out(fields, f"{self._source}:{line}", self._notes)
            if self._time_form is not None and "created_at" in fields:
                event_ms = self._time_form.event_time_ms(fields.pop("created_at"))
                if event_ms is not None:
                    fields["created_at"] = rfc3339(event_ms)
            record = validate_raw(fields, max_text_chars=self._max_text_chars)
            self._check_time(record, channel)
            payload = msgspec.json.encode(fields)
        except InvalidRecord as error:
            return Row(self._source, line, channel, error=error)
        return Row(self._source, line, channel, record, payload=payload)

    def _renamed(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self._columns or self._presets or self._constants:
            taken = {name: fields.pop(column) for name, column in self._columns.items() if column in fields}
            for name, candidates in self._presets.items():
                if name not in taken and (value := _first(fields, candidates)) is not None:
                    taken[name] = value
            fields = fields | taken
            for name, constant in self._constants.items():
                fields.setdefault(name, constant)
        return fields

    def _leave_out(self, fields: dict[str, Any], where: str, notes: FileNotes) -> None:
        """Remove optional fields that can't be read, and note them; values such as N/A are absent without a note."""
        if "rating" in fields:
            try:
                fields["rating"] = read_rating(fields["rating"])
            except ValueError as error:
                notes.leave_out(where, "rating", str(error))
                fields["rating"] = None
            if fields["rating"] is None:
                del fields["rating"]
        if "version" in fields:
            try:
                named_version(fields["version"])
            except InvalidRecord as error:
                notes.leave_out(where, "version", str(error))
                del fields["version"]
        _leave_out_absent(fields)
        for name in _OPTIONAL:
            value = fields.get(name)
            if isinstance(value, (bool, list, dict)) or (isinstance(value, str) and len(value) > _MAX_FIELD_CHARS):
                problem = "is not a text" if not isinstance(value, str) else f"has {len(value):,} characters"
                notes.leave_out(where, name, f"{name} {problem}")
                del fields[name]
        if isinstance(identity := fields.get("id"), str) and is_rounded(identity):
            notes.once(
                where,
                "id",
                f"id {identity!r} looks rounded by a spreadsheet: different records may have the same id; "
                "export ids as text",
            )

    def _channel_of(self, value: Any) -> Channel:
        if self._channel is not None:
            return self._channel
        if value is None or value == "":
            return self._default_channel
        try:
            return Channel(value)
        except ValueError:
            names = ", ".join(Channel)
            raise InvalidRecord(
                "bad_channel", f"channel {str(value)[:80]!r} is not one of {names}", field="channel"
            ) from None

    def _check_time(self, record: RawRecord, channel: Channel) -> None:
        if self._clock is None:
            return
        zone = self._zone_of(channel, record.source) if self._zone_of else None
        event_ms = event_time_ms(record.created_at, zone or UTC)
        if event_ms is None:
            return
        not_in_future(event_ms, self._clock.now_ms(), self._max_future_hours)


def _leave_out_absent(fields: dict[str, Any]) -> None:
    for name in _MAY_BE_ABSENT:
        # North America is a region.
        if isinstance(value := fields.get(name), str) and is_absent(value) and (name, value) != ("region", "NA"):
            del fields[name]


def from_cells(keys: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """Map the cells of a CSV row to the keys of its columns; empty cells are left out, `attributes` may be JSON.

    Raises InvalidRecord for a row with too few or too many cells, or with `attributes` that are invalid JSON.
    """
    if len(cells) > len(keys) and not any(cells[len(keys) :]):
        cells = cells[: len(keys)]
    if len(cells) != len(keys):
        raise InvalidRecord(
            "wrong_columns",
            f"{len(cells)} column{'' if len(cells) == 1 else 's'}, the header has {len(keys)}",
            stage="decode",
        )
    fields: dict[str, Any] = {
        key: unguarded(cell) if cell[0] == "=" else cell for key, cell in zip(keys, cells, strict=True) if cell and key
    }
    if "id" in fields:
        fields["id"] = fields["id"].strip()
    if (created_at := fields.get("created_at", "").strip()).isdecimal() and len(created_at) == _MS_DIGITS:
        fields["created_at"] = int(created_at)
    if fields.get("attributes", "").lstrip().startswith("{"):
        try:
            fields["attributes"] = decoded(msgspec.json.decode, fields["attributes"])
        except DecodeError as error:
            raise InvalidRecord(
                "bad_attributes", f"attributes are not a JSON object: {error}", field="attributes"
            ) from error
    return fields


def _first(fields: dict[str, Any], paths: Sequence[str]) -> Any:
    """Remove the first of these paths that has a value from the fields, and return the value; None if none has."""
    for path in paths:
        holder: Any = fields
        *parents, name = [path] if path in fields else path.split(".")
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and holder.get(name) not in (None, ""):
            return holder.pop(name)
    return None
