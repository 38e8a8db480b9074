"""The raw record, as sources send it to `feedback.complaints`, `feedback.reviews` and `feedback.social`."""

import math
import re
import unicodedata
from typing import Annotated, Any

import msgspec

from triage.decoding import DecodeError, decoded
from triage.errors import InvalidRecord
from triage.schemas.event_time import event_time_ms
from triage.schemas.version import named_version
from triage.schemas.wrappers import STRING, TOMBSTONE, is_json_object, wrapper_of

Scalar = str | int | float | bool


class RawRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One complaint, review or post as sent by its source, validated."""

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
        Annotated[
            str,
            msgspec.Meta(description="Event time: RFC 3339, epoch milliseconds, or another form that has one reading"),
        ]
        | int
        | float
        | None
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


# Not of the source: what validation found.
INTERNAL_FIELDS = ("unknown_fields", "truncated")
STRING_FIELDS = ("id", "source", "author_id", "brand", "product", "region", "language", "url")
# Names that records are counted by. Ids and sources stay as they are: documents are known by them.
_NAMES = ("brand", "product", "region")
_PLAIN_NAME = re.compile(r"[!-~]+(?: [!-~]+)*")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_MAX_FIELD_CHARS = 1_000
_MAX_DEPTH = 8
# From here on a float may be another whole number, rounded.
_EXACT_BELOW = 2**53
UNAVAILABLE_TEXT = "__debezium_unavailable_value"
"""The text that Debezium sends instead of a long text that did not change, unless PostgreSQL logs whole rows."""
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# Mail clients write ten characters of markup for each that they show.
_MARKUP_FACTOR = 10


def parse_raw(payload: bytes, *, max_text_chars: int = 20_000) -> RawRecord:
    """Decode and validate one raw record, a JSON object; a longer text is cut at `max_text_chars` characters.

    Raises InvalidRecord (with stage decode or validate) if it is invalid; the message names field, value and fix.
    """
    return validate_raw(decode_object(payload), max_text_chars=max_text_chars)


def decode_object(payload: bytes) -> dict[str, Any]:
    """Decode the JSON object of a record; a lone surrogate becomes U+FFFD.

    Raises InvalidRecord (stage decode) if the payload is not UTF-8, not JSON, or not an object.
    """
    if not payload:
        raise InvalidRecord("not_json", f"not JSON: {TOMBSTONE}", stage="decode")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        if (replaced := _without_surrogate_bytes(payload)) is None:
            raise InvalidRecord(
                "not_utf8",
                f"byte {error.start} is not UTF-8 (0x{payload[error.start]:02x}); send JSON in UTF-8",
                stage="decode",
            ) from error
        text = replaced
    try:
        fields = decoded(_with_lone_surrogates, text)
    except DecodeError as error:
        raise InvalidRecord("not_json", f"not JSON: {error}", stage="decode") from error
    if not isinstance(fields, dict):
        raise InvalidRecord(
            "not_an_object",
            f'a record must be a JSON object, {{"text": ...}}, not {_kind(fields)}'
            + (f"; {STRING}" if is_json_object(fields) else ""),
            stage="decode",
        )
    return fields


def _with_lone_surrogates(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        replaced = _ESCAPES.sub(_without_lone_surrogate, text)
        if replaced == text:
            raise
        return msgspec.json.decode(replaced)


def _without_lone_surrogate(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape["lone"] else escape[0]


def _without_surrogate_bytes(payload: bytes) -> str | None:
    """Decode bytes that are UTF-8 except for surrogates, as CESU-8 writes them; None for other bytes."""
    try:
        text = payload.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def validate_raw(fields: dict[str, Any], *, max_text_chars: int = 20_000) -> RawRecord:
    """Validate decoded fields. Unknown fields become `attributes`, with nested names joined by dots.

    Raises InvalidRecord (stage validate) if a field is missing or not valid.
    """
    fields = dict(fields)
    if fields.get("text") is None:
        hint = wrapper_of(fields) or "it must hold the text of the feedback"
        raise InvalidRecord("missing_text", f"the field text is missing; {hint}", field="text")
    text, truncated = _text(fields.pop("text"), max_text_chars)
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


def _text(value: Any, limit: int) -> tuple[str, bool]:
    if not isinstance(value, str):
        raise InvalidRecord("text_not_string", f"text must be a string, not {_kind(value)}", field="text")
    # NUL is valid JSON, but breaks consumers that use C strings; it has no meaning in feedback.
    trimmed = value.replace("\x00", "").strip()
    if not trimmed:
        raise InvalidRecord("empty_text", "text is empty; a record needs at least one character", field="text")
    if trimmed == UNAVAILABLE_TEXT:
        raise InvalidRecord(
            "text_unavailable",
            "text is Debezium's placeholder for a long text that did not change; "
            "ALTER TABLE ... REPLICA IDENTITY FULL makes PostgreSQL log the whole row",
            field="text",
        )
    # Markup does not count: the visible text is cut to the limit after markup is removed.
    most = limit * _MARKUP_FACTOR if "<" in trimmed else limit
    return trimmed[:most], len(trimmed) > most


def _string(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidRecord(f"bad_{name}", f"{name} must be a string, not {_kind(value)}", field=name)
    text = text_of_id(value)
    if len(text) > _MAX_FIELD_CHARS:
        raise InvalidRecord(
            f"bad_{name}", f"{name} has {len(text)} characters; at most {_MAX_FIELD_CHARS} are allowed", field=name
        )
    return text


def text_of_id(value: str | float) -> str:
    """Convert an id to text.

    A whole number is written without decimals: 4711.0, as data frames export it, becomes `4711`.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_BELOW:
        return str(int(value))
    return str(value)


def _one_spelling(name: str) -> str | None:
    """Return a name in one spelling, so that all its variants are counted together; None if nothing is left.

    That is: composed (NFC), without invisible characters, with narrow letters and single blanks.
    """
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
