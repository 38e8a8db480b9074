"""The raw record, as sources send it to `feedback.complaints`, `feedback.reviews` and `feedback.social`."""

import math
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from triage.clock import YEAR_10000_MS, rfc3339, to_ms
from triage.errors import InvalidRecord
from triage.schemas.version import named_version

Scalar = str | int | float | bool


class RawRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One complaint, review or post as the source sent it, validated."""

    text: Annotated[
        str, msgspec.Meta(min_length=1, description="Text of the feedback; trimmed, and cut at 20,000 characters")
    ]
    id: (
        Annotated[
            str,
            msgspec.Meta(
                description="Id given by the source; without it, position and broker's time identify the record"
            ),
        ]
        | None
    ) = None
    created_at: (
        Annotated[str, msgspec.Meta(description="Event time, as RFC 3339 or epoch milliseconds")] | int | float | None
    ) = None
    version: (
        Annotated[
            str,
            msgspec.Meta(description="Number or time (RFC 3339, epoch milliseconds); of one id the highest is kept"),
        ]
        | int
        | float
        | None
    ) = None
    source: str | None = None
    author_id: Annotated[str, msgspec.Meta(description="Stored only as a keyed hash")] | None = None
    brand: str | None = None
    product: str | None = None
    region: str | None = None
    language: str | None = None
    url: str | None = None
    rating: float | None = None
    attributes: dict[str, Scalar] = {}
    unknown_fields: int = 0
    truncated: bool = False


STRING_FIELDS = ("id", "source", "author_id", "brand", "product", "region", "language", "url")
# Names that records are counted by. Ids and sources stay as they are: documents are known by them.
_NAMES = ("brand", "product", "region")
_PLAIN_NAME = re.compile(r"[!-~]+(?: [!-~]+)*")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_MAX_FIELD_CHARS = 1_000
_MAX_DEPTH = 8
# Mail clients write ten characters of markup for each that they show.
_MARKUP_FACTOR = 10
_HOUR_MS = 3_600_000


def parse_raw(payload: bytes, *, max_text_chars: int = 20_000) -> RawRecord:
    """Decode and validate one raw record.

    Raises InvalidRecord (stages decode and validate) that names the field, the value and the fix.
    """
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRecord(
            "not_utf8",
            f"byte {error.start} is not UTF-8 (0x{payload[error.start]:02x}); send JSON in UTF-8",
            stage="decode",
        ) from error
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRecord("not_json", f"not JSON: {error}", stage="decode") from error
    if not isinstance(decoded, dict):
        raise InvalidRecord(
            "not_an_object",
            f'a record must be a JSON object, {{"text": ...}}, not {_kind(decoded)}',
            stage="decode",
        )
    return validate_raw(decoded, max_text_chars=max_text_chars)


def validate_raw(fields: dict[str, Any], *, max_text_chars: int = 20_000) -> RawRecord:
    """Validate decoded fields. Unknown fields become `attributes`, with nested names joined by dots.

    Raises InvalidRecord (stage validate).
    """
    fields = dict(fields)
    text, truncated = _text(fields.pop("text", None), max_text_chars)
    known: dict[str, Any] = {}
    for name in STRING_FIELDS:
        value = fields.pop(name, None)
        # Fast path: nearly always a short string.
        known[name] = value if type(value) is str and 0 < len(value) <= _MAX_FIELD_CHARS else _string(name, value)
    for name in _NAMES:
        if known[name]:
            known[name] = _one_spelling(known[name])
    created_at = fields.pop("created_at", None)
    event_time_ms(created_at)
    if (version := fields.pop("version", None)) is not None:
        named_version(version)
    rating = _rating(fields.pop("rating", None))
    attributes: dict[str, Scalar] = {}
    given = fields.pop("attributes", None)
    if given is not None and not isinstance(given, dict):
        raise InvalidRecord("bad_attributes", f"attributes must be an object, not {_kind(given)}", field="attributes")
    unknown = len(fields)
    if given or fields:
        _flatten(given or {}, "", attributes, 0)
        _flatten(fields, "", attributes, 0)
    return RawRecord(
        text=text,
        created_at=created_at,
        version=version,
        rating=rating,
        attributes=attributes,
        unknown_fields=unknown,
        truncated=truncated,
        **known,
    )


def event_time_ms(created_at: Any) -> int | None:
    """Parse `created_at` to epoch milliseconds; None if it is missing. Times without an offset are UTC.

    Raises InvalidRecord if it is not a time between 1970 and 9999.
    """
    if created_at is None or created_at == "":
        return None
    if isinstance(created_at, bool):
        raise _bad_time(created_at)
    if isinstance(created_at, (int, float)):
        # Compared without conversion: an integer may be too large for a float. NaN fails the comparison.
        if not 0 <= created_at < YEAR_10000_MS:
            raise _bad_time(created_at)
        return int(created_at)
    if isinstance(created_at, str):
        try:
            moment = datetime.fromisoformat(created_at.strip())
            ms = to_ms(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
        except (ValueError, OverflowError):
            raise _bad_time(created_at) from None
        if not 0 <= ms < YEAR_10000_MS:
            raise _bad_time(created_at)
        return ms
    raise _bad_time(created_at)


def not_in_future(event_ms: int, now_ms: int, max_hours: float) -> int:
    """Return the event time if it is at most `max_hours` ahead of the clock. Raises InvalidRecord."""
    if event_ms > now_ms + max_hours * _HOUR_MS:
        raise InvalidRecord(
            "created_at_in_future",
            f"created_at {rfc3339(event_ms)} is more than {max_hours:g} h ahead of the clock "
            f"({rfc3339(now_ms)}); check the source's clock and its unit (epoch milliseconds)",
            field="created_at",
        )
    return event_ms


def _bad_time(value: Any) -> InvalidRecord:
    return InvalidRecord(
        "bad_created_at",
        f"created_at {_short(value)} is not a time between 1970 and 9999; "
        "send RFC 3339 (2026-11-22T09:30:00Z) or epoch milliseconds",
        field="created_at",
    )


def _text(value: Any, limit: int) -> tuple[str, bool]:
    if value is None:
        raise InvalidRecord(
            "missing_text", "the field text is missing; it must hold the text of the feedback", field="text"
        )
    if not isinstance(value, str):
        raise InvalidRecord("text_not_string", f"text must be a string, not {_kind(value)}", field="text")
    # NUL is valid JSON, but breaks consumers that use C strings; it has no meaning in feedback.
    trimmed = value.replace("\x00", "").strip()
    if not trimmed:
        raise InvalidRecord("empty_text", "text is empty; a record needs at least one character", field="text")
    # Markup does not count: the visible text is cut to the limit after markup is removed.
    most = limit * _MARKUP_FACTOR if "<" in trimmed else limit
    return trimmed[:most], len(trimmed) > most


def _string(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidRecord(f"bad_{name}", f"{name} must be a string, not {_kind(value)}", field=name)
    text = str(value)
    if len(text) > _MAX_FIELD_CHARS:
        raise InvalidRecord(
            f"bad_{name}", f"{name} has {len(text)} characters; at most {_MAX_FIELD_CHARS} are allowed", field=name
        )
    return text


def _one_spelling(name: str) -> str | None:
    """Composed (NFC), without invisible characters, narrow letters, single blanks; None where nothing is left."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    composed = unicodedata.normalize("NFC", _UNSEEN.sub("", name)).translate(_NARROW)
    return " ".join(composed.split()) or None


def _rating(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        rating = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        rating = math.nan
    if not math.isfinite(rating):
        raise InvalidRecord("bad_rating", f"rating {_short(value)} is not a number", field="rating")
    return rating


def _flatten(value: dict[str, Any], prefix: str, into: dict[str, Scalar], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise InvalidRecord("too_deep", f"attributes are nested deeper than {_MAX_DEPTH} levels", field="attributes")
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict):
            _flatten(item, f"{name}.", into, depth + 1)
        elif isinstance(item, list):
            _flatten({str(index): entry for index, entry in enumerate(item)}, f"{name}.", into, depth + 1)
        elif item is not None:
            into[name] = item


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
