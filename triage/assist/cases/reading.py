"""Reads resolutions from CSV and JSON lines."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from triage.assist.rows import UnreadableTextError, csv_rows, json_rows, kind_of, read_text
from triage.errors import ConfigError, InvalidRecord
from triage.schemas.enriched import document_id
from triage.schemas.resolution import Resolution, check_resolution
from triage.types import Channel

_ALIASES = {
    "reply": "answer", "solution": "answer", "status": "outcome", "resolved_at": "at", "time": "at",
    "kind": "resolution", "agent": "actor", "_id": "record",
}  # fmt: skip


ZoneOf = Callable[[str, str | None], tzinfo | None]
"""The time zone of times without an offset, by channel and source; None: UTC."""


def read_resolutions(
    path: Path, now_ms: int, zone_of: ZoneOf | None = None
) -> Iterator[tuple[int, Resolution | InvalidRecord]]:
    """Yield (line number, resolution) of each row of a CSV or JSON lines file; for an invalid row the error.

    `now_ms` is the time of resolutions that name none. Raises ConfigError if the file cannot be read.
    """
    try:
        text = read_text(path)
    except UnreadableTextError as error:
        raise ConfigError(f"{path} {error}", where=f"{path}:{error.line}") from error
    for row in csv_rows(text) if kind_of(path) == ".csv" else json_rows(text):
        if row.fields is None:
            yield row.line, InvalidRecord("bad_row", row.problem, stage="decode")
            continue
        try:
            yield row.line, resolution_of(row.fields, now_ms, zone_of)
        except InvalidRecord as invalid:
            yield row.line, invalid


def resolution_of(fields: Mapping[str, Any], now_ms: int, zone_of: ZoneOf | None = None) -> Resolution:
    """A resolution from fields of a row, a request or a webhook.

    The record is named by `record`, the `_id` of its document, or by the source's own `id` with `channel` (complaint)
    and `source`; a ticket that never was a record brings its `text`, and may bring `intent` and `language`. Its time is
    read in the forms that the times of records may have. Raises InvalidRecord.
    """
    values = {str(name).strip().lower(): value for name, value in fields.items()}
    for alias, name in _ALIASES.items():
        if alias in values:
            values.setdefault(name, values[alias])
    text = {
        name: "" if values.get(name) is None else str(values[name]).strip()
        for name in (
            "record",
            "id",
            "channel",
            "source",
            "answer",
            "outcome",
            "resolution",
            "at",
            "actor",
            "text",
            "intent",
            "language",
        )
    }
    record = text["record"]
    if not record and text["id"]:
        try:
            channel = Channel(text["channel"] or "complaint")
        except ValueError:
            said = f"channel {text['channel'][:40]!r} is not one of {', '.join(Channel)}"
            raise InvalidRecord("bad_channel", said, stage="decode", field="channel") from None
        record = document_id(channel, text["source"] or None, text["id"], None)
    if not record and text["text"]:
        # A ticket of the time before triage, without an id: the same text is the same ticket.
        record = hashlib.sha256(text["text"].encode("utf-8", "replace")).hexdigest()
    found = Resolution(
        record=record,
        answer=text["answer"],
        outcome=text["outcome"],
        at=text["at"],
        resolution=text["resolution"],
        actor=text["actor"],
        text=text["text"],
        intent=text["intent"],
        language=text["language"],
    )
    zone = zone_of(text["channel"] or "complaint", text["source"] or None) if zone_of else None
    return check_resolution(found, now_ms, zone or UTC)
