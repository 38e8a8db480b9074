"""Reads resolutions from CSV and JSON lines."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from triage.decoding import DecodeError, decoded
from triage.errors import ConfigError, InvalidRecord
from triage.packed import read_unpacked
from triage.schemas.enriched import document_id
from triage.schemas.resolution import Resolution, check_resolution
from triage.types import Channel

_ALIASES = {
    "reply": "answer", "solution": "answer", "status": "outcome", "resolved_at": "at", "time": "at",
    "kind": "resolution", "agent": "actor", "_id": "record",
}  # fmt: skip


def read_resolutions(path: Path, now_ms: int) -> Iterator[tuple[int, Resolution | InvalidRecord]]:
    """Yield (line number, resolution) of each row of a CSV or JSON lines file; for an invalid row the error.

    `now_ms` is the time of resolutions that name none. Raises ConfigError if the file cannot be read.
    """
    try:
        text = read_unpacked(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    rows = _csv(text) if path.suffix.lower() == ".csv" else _json_lines(text)
    for line, row in rows:
        if isinstance(row, InvalidRecord):
            yield line, row
            continue
        try:
            yield line, resolution_of(row, now_ms)
        except InvalidRecord as invalid:
            yield line, invalid


def resolution_of(fields: Mapping[str, Any], now_ms: int) -> Resolution:
    """A resolution from fields of a row, a request or a webhook.

    The record is named by `record`, the `_id` of its document, or by the source's own `id` with `channel` (complaint)
    and `source`; a ticket that never was a record brings its `text`, and may bring `intent` and `language`. Raises
    InvalidRecord.
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
    return check_resolution(found, now_ms)


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, Any] | InvalidRecord]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    before = 1
    try:
        for row in rows:
            line, before = before + 1, rows.line_num
            yield line, {name: value for name, value in row.items() if name}
    except csv.Error as error:
        yield before + 1, InvalidRecord("bad_csv", f"not valid CSV: {error}", stage="decode")


def _json_lines(text: str) -> Iterator[tuple[int, Mapping[str, Any] | InvalidRecord]]:
    for line, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            found = decoded(json.loads, row)
        except DecodeError as error:
            yield line, InvalidRecord("not_json", f"not valid JSON: {error}", stage="decode")
            continue
        if isinstance(found, dict):
            yield line, found
        else:
            yield line, InvalidRecord("not_an_object", "a line is a JSON object", stage="decode")
