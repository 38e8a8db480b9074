"""Formats records of topics for `triage tap`: as JSON for programs, as one line for users."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from triage.clock import rfc3339
from triage.topics.definitions import RAW_TOPICS

if TYPE_CHECKING:
    from kafka.consumer.fetcher import ConsumerRecord

    from triage.config import KafkaSettings
    from triage.redaction import Redactor

_MAX_CHARS = 110
_COLORS = {"negative": "31", "positive": "32", "critical": "1;31", "high": "31", "medium": "33", "firing": "31"}


@dataclass(frozen=True)
class Tap:
    """A possible TOPIC of `triage tap`: its Kafka topics, and the fields by which its records can be filtered.

    `facts` returns the values of these fields, `line` the parts of the readable line. `raw`: records are redacted
    before they are shown. `parts` splits a message into the items to show.
    """

    topics: tuple[str, ...]
    fields: frozenset[str]
    facts: Callable[[dict[str, Any]], dict[str, Any]]
    line: Callable[[dict[str, Any]], list[str]]
    raw: bool = False
    parts: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda known: [known]


@dataclass(frozen=True)
class Tapped:
    """One item to show: its (redacted) JSON, a readable line, and its values for the filters by field name."""

    json: str
    line: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def reader(tap: Tap, kafka: "KafkaSettings", redactor: "Redactor | None") -> "Callable[[ConsumerRecord], list[Tapped]]":
    """Return a function that converts a Kafka record to the items to show; with a `redactor`, it redacts them first."""
    channels = {kafka.topic(name): channel.value for channel, name in RAW_TOPICS.items()}

    def read(record: "ConsumerRecord") -> list[Tapped]:
        value = record.value or b""
        body = redactor.redact_json(value, redactor.author_of(value)) if redactor else value.decode("utf-8", "replace")
        try:
            decoded = orjson.loads(body)
        except orjson.JSONDecodeError:
            decoded = None
        fields = decoded if isinstance(decoded, dict) else {"text": body} if body else {}
        if redactor:
            fields = {"channel": channels[record.topic], **fields}
        return [tapped(record, part) for part in tap.parts(fields)]

    def tapped(record: "ConsumerRecord", fields: dict[str, Any]) -> Tapped:
        facts = {**tap.facts(fields), "at": rfc3339(record.timestamp)}
        position = f"{record.topic}/{record.partition}/{record.offset}"
        cells = tap.line(_printable(fields)) if fields else ["(deleted)"]
        line = " ".join(cell for cell in [_dim(facts["at"][11:19]), *cells, _dim(position)] if cell)
        return Tapped(orjson.dumps({"position": position, "at": facts["at"], "record": fields}).decode(), line, facts)

    return read


def _enriched_facts(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel": record.get("channel"),
        "intent": _at(record, "intent", "label"),
        "sentiment": _at(record, "sentiment", "label"),
        "severity": _at(record, "severity", "level"),
        "entities": [(each.get("label", ""), each.get("text", "")) for each in record.get("entities") or ()],
        "text": record.get("text", ""),
    }


def _enriched_line(record: dict[str, Any]) -> list[str]:
    sentiment, score = _at(record, "sentiment", "label") or "", _at(record, "sentiment", "score") or 0.0
    named = ", ".join(f"{each.get('label')}={each.get('text')}" for each in record.get("entities") or ())
    return [
        f"{record.get('channel', ''):<9}",
        _color(sentiment, f"{score:+.2f} {sentiment:<8}"),
        f"{_at(record, 'intent', 'label') or '':<16}",
        _color(_at(record, "severity", "level") or "", f"{_at(record, 'severity', 'level') or '':<8}"),
        _short(record.get("text", "")),
        _dim(f"[{named}]") if named else "",
    ]


def _raw_facts(record: dict[str, Any]) -> dict[str, Any]:
    return {"channel": record.get("channel"), "text": str(record.get("text", ""))}


def _raw_line(record: dict[str, Any]) -> list[str]:
    return [f"{record.get('channel', ''):<9}", _short(str(record.get("text", "")))]


def _letter_facts(letter: dict[str, Any]) -> dict[str, Any]:
    return {"text": f"{letter.get('message', '')} {letter.get('payload', '')}"}


def _letter_line(letter: dict[str, Any]) -> list[str]:
    reason = f"{letter.get('stage', '')}/{letter.get('reason', '')}"
    state = " replayed" if letter.get("replayed_at") else ""
    return [
        _color("high", f"{reason}{state}"),
        _short(str(letter.get("message", ""))),
        _short(str(letter.get("payload", ""))),
    ]


def _alert_facts(alert: dict[str, Any]) -> dict[str, Any]:
    dimensions = alert.get("dimensions") or {}
    return {
        "channel": dimensions.get("channel"),
        "intent": dimensions.get("intent"),
        "severity": alert.get("severity"),
        "text": f"{alert.get('title', '')} {alert.get('summary', '')}",
    }


def _alert_line(alert: dict[str, Any]) -> list[str]:
    state = str(alert.get("state") or alert.get("status", ""))
    severity = str(alert.get("severity", ""))
    return [
        _color("firing" if alert.get("status") == "firing" else "positive", f"{state:<10}"),
        _color(severity, f"{severity:<8}"),
        str(alert.get("title", "")),
        f"{alert.get('negative')} of {alert.get('total')} negative",
        _dim(str(alert.get("dedup_key", ""))),
    ]


def _count_facts(count: dict[str, Any]) -> dict[str, Any]:
    dimensions = count.get("dimensions") or {}
    return {name: dimensions.get(name) for name in ("channel", "intent", "severity")}


def _each_count(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Split a window-counts message into one item per count, with its shared fields; a watermark is one item."""
    shared = {name: value for name, value in message.items() if name != "counts"}
    return [shared | count for count in message["counts"]] if "counts" in message else [message]


def _count_line(count: dict[str, Any]) -> list[str]:
    if count.get("type") == "watermark":
        where = f"{count.get('topic')}/{count.get('partition')}"
        return [_dim(f"watermark {rfc3339(count.get('watermark_ms', 0))} of {where}, lag {count.get('lag')}")]
    window = rfc3339(count.get("window_start_ms", 0))[:16]
    return [
        f"{window}Z",
        f"{count.get('negative'):>4} of {count.get('total'):>4} negative",
        str(count.get("key") or "all"),
    ]


_RAW_FIELDS = frozenset({"channel", "text"})
TAPS: dict[str, Tap] = {
    "enriched": Tap(
        ("enriched",),
        frozenset({"channel", "intent", "sentiment", "severity", "entity", "text"}),
        _enriched_facts,
        _enriched_line,
    ),
    "raw": Tap(tuple(RAW_TOPICS.values()), _RAW_FIELDS, _raw_facts, _raw_line, raw=True),
    **{name: Tap((name,), _RAW_FIELDS, _raw_facts, _raw_line, raw=True) for name in RAW_TOPICS.values()},
    "dead-letter": Tap(("dead-letter",), frozenset({"text"}), _letter_facts, _letter_line),
    "alerts": Tap(("alerts",), frozenset({"channel", "intent", "severity", "text"}), _alert_facts, _alert_line),
    "counts": Tap(
        ("window-counts",), frozenset({"channel", "intent", "severity"}), _count_facts, _count_line, parts=_each_count
    ),
}


def _at(record: Mapping[str, Any], *path: str) -> Any:
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MAX_CHARS else flat[: _MAX_CHARS - 1] + "…"


def _color(value: str, text: str) -> str:
    code = _COLORS.get(value)
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


def _dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m"


def _printable(value: Any) -> Any:
    """Replace control characters, which could change the state of the terminal, in all strings of a JSON value."""
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() else " " if letter.isspace() else "\ufffd" for letter in value)
    if isinstance(value, dict):
        return {name: _printable(item) for name, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list) else value
