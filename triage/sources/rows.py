"""Builds validated rows, and the bytes to send to Kafka, from the decoded fields of a file."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from triage.clock import Clock
from triage.errors import InvalidRecord
from triage.schemas.raw import RawRecord, event_time_ms, not_in_future, validate_raw
from triage.types import Channel

_HOUR_MS = 3_600_000
_MS_DIGITS = range(12, 21)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: either `record` and `payload`, or `error`.

    `line` is the first line of the row, from 1. `payload` is JSON for Kafka: the fields as given, without `channel`,
    which follows from the topic; b"" for a refused row.
    """

    source: str
    line: int
    channel: Channel
    record: RawRecord | None = None
    error: InvalidRecord | None = None
    payload: bytes = b""


class RowBuilder:
    """Builds the rows of one source.

    `channel` overrides the rows' own; the default is complaint. `columns` maps raw fields to the names in the file.
    With a `clock`, a `created_at` more than `max_future_hours` ahead of it is refused.
    """

    def __init__(
        self,
        source: str,
        channel: Channel | None,
        columns: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        max_future_hours: float = 24,
        max_text_chars: int = 20_000,
    ) -> None:
        self._source = source
        self._channel = channel
        self._columns = dict(columns or {})
        self._clock = clock
        self._max_future_hours = max_future_hours
        self._max_text_chars = max_text_chars

    def refused(self, line: int, error: InvalidRecord) -> Row:
        return Row(self._source, line, self._channel or Channel.COMPLAINT, error=error)

    def build(self, line: int, decode: Callable[[], dict[str, Any]]) -> Row:
        """A row from the fields that `decode` returns; refused if `decode` or the validation raises InvalidRecord."""
        channel = self._channel or Channel.COMPLAINT
        try:
            fields = self._renamed(decode())
            channel = self._channel_of(fields.pop("channel", None))
            record = validate_raw(fields, max_text_chars=self._max_text_chars)
            self._check_time(record)
            payload = msgspec.json.encode(fields)
        except InvalidRecord as error:
            return Row(self._source, line, channel, error=error)
        return Row(self._source, line, channel, record, payload=payload)

    def _renamed(self, fields: dict[str, Any]) -> dict[str, Any]:
        taken = {name: fields.pop(column) for name, column in self._columns.items() if column in fields}
        return fields | taken

    def _channel_of(self, value: Any) -> Channel:
        if self._channel is not None:
            return self._channel
        if value is None or value == "":
            return Channel.COMPLAINT
        try:
            return Channel(value)
        except ValueError:
            names = ", ".join(Channel)
            raise InvalidRecord(
                "bad_channel", f"channel {str(value)[:80]!r} is not one of {names}", field="channel"
            ) from None

    def _check_time(self, record: RawRecord) -> None:
        event_ms = event_time_ms(record.created_at)
        if self._clock is None or event_ms is None:
            return
        not_in_future(event_ms, self._clock.now_ms(), self._max_future_hours)


def from_cells(names: list[str], cells: list[str]) -> dict[str, Any]:
    """Fields of a CSV row: empty cells are absent, numbers are parsed where the schema has numbers.

    Raises InvalidRecord for a row with too few or too many cells, or `attributes` that are not JSON.
    """
    if len(cells) != len(names):
        raise InvalidRecord(
            "wrong_columns",
            f"{len(cells)} column{'' if len(cells) == 1 else 's'}, the header has {len(names)}",
            stage="decode",
        )
    fields: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=True) if cell and name}
    # Fewer digits are a date (20261122) or epoch seconds, and must not pass for milliseconds in January 1970. More are
    # not a time, and Python refuses to parse thousands of them.
    if (created_at := fields.get("created_at", "").strip()).isdecimal() and len(created_at) in _MS_DIGITS:
        fields["created_at"] = int(created_at)
    if "rating" in fields:
        fields["rating"] = _number(fields["rating"])
    if fields.get("attributes", "").lstrip().startswith("{"):
        try:
            fields["attributes"] = msgspec.json.decode(fields["attributes"])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise InvalidRecord(
                "bad_attributes", f"attributes are not a JSON object: {error}", field="attributes"
            ) from error
    return fields


def _number(text: str) -> Any:
    """A number, or the text itself, which the validation then names in its error."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
