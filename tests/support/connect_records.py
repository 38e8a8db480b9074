"""Records of Kafka Connect for the recipes in deploy/connect: as a connector hands them over, and as they arrive.

Those of Debezium have the form that Debezium 3.4 and PostgreSQL 15 gave, shortened to the columns that matter.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from checkout import ROOT

RECIPES = ROOT / "deploy" / "connect"
TOPIC = "feedback.complaints"
"""The topic of every recipe."""

Fields = dict[str, Any]

_TRANSFORMS = "org.apache.kafka.connect.transforms"


@dataclass(frozen=True)
class Case:
    """What a connector sends and what arrives; `changes` replaces settings of the recipe, None removes one.

    `sent` are lines of ReplaySource, or plain lines of a file for Kafka's own FileStreamSource. `arrives` are keys and
    values, `accepted` ids, event times (None: the broker's) and named versions.
    """

    name: str
    recipe: str
    sent: tuple[Fields | str, ...]
    arrives: tuple[tuple[str | None, Fields], ...]
    accepted: tuple[tuple[str | None, str | None, str | int | None], ...] = ()
    changes: dict[str, str | None] = field(default_factory=dict)
    needs_debezium: bool = False

    def config(self) -> dict[str, str]:
        """Settings of the recipe with the changes."""
        given = json.loads((RECIPES / f"{self.recipe}.json").read_text("utf-8"))["config"]
        return {name: value for name, value in (given | self.changes).items() if value is not None}


def _column(name: str, kind: str = "string", logical: str | None = None, **more: Any) -> Fields:
    named = {"name": logical, "version": 1} if logical else {}
    return {"field": name, "type": kind, "optional": True} | named | more


def _struct(*columns: Fields, **more: Any) -> Fields:
    return {"type": "struct", "fields": list(columns), "optional": False} | more


def _decimal(name: str, scale: int = 0) -> Fields:
    return _column(name, "bytes", "org.apache.kafka.connect.data.Decimal", parameters={"scale": str(scale)})


def _timestamp(name: str, **more: Any) -> Fields:
    return _column(name, "int64", "org.apache.kafka.connect.data.Timestamp", **more)


def _bytes(number: int) -> str:
    """The unscaled number of a Decimal, as JSON holds it."""
    return base64.b64encode(number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)).decode()


def _line(value: Fields | None, schema: Fields, key: Fields | None = None, topic: str = TOPIC) -> Fields:
    return {"topic": topic, "key": key, "value": None if value is None else {"schema": schema, "payload": value}}


def _text(value: str) -> Fields:
    return {"schema": {"type": "string", "optional": False}, "payload": value}


_ARRIVED = "The parcel never arrived"
_TWICE = "Charged twice"
_MADE_MS, _CHANGED_MS = 1_795_183_380_123, 1_795_186_980_456  # 2026-11-20 14:03:00.123 and 15:03:00.456
_MADE, _CHANGED = "2026-11-20T14:03:00.123Z", "2026-11-20T15:03:00.456Z"

_ROW = _struct(_decimal("id"), _column("body"), _timestamp("created_at"), _column("brand"), _timestamp("updated_at"))
_JDBC = (
    _line({"id": _bytes(4711), "body": _ARRIVED, "created_at": _MADE_MS, "brand": "Acme",
           "updated_at": _CHANGED_MS}, _ROW),
    _line({"id": _bytes(4712), "body": _TWICE, "created_at": None, "brand": None, "updated_at": _CHANGED_MS}, _ROW),
)  # fmt: skip

_DEBEZIUM_TOPIC = "desk.public.tickets"


def _change(op: str, after: Fields | None, key: Fields, *columns: Fields) -> Fields:
    row = {"type": "struct", "fields": list(columns), "optional": True, "name": f"{_DEBEZIUM_TOPIC}.Value"}
    envelope = _struct(
        row | {"field": "before"},
        row | {"field": "after"},
        _struct(_column("connector"), _column("ts_ms", "int64"), field="source"),
        _column("op", optional=False),
        _column("ts_ms", "int64"),
        name=f"{_DEBEZIUM_TOPIC}.Envelope",
        version=2,
    )
    payload = {"before": None, "after": after, "op": op, "ts_ms": _CHANGED_MS}
    return _line(
        payload | {"source": {"connector": "postgresql", "ts_ms": _CHANGED_MS}}, envelope, key, _DEBEZIUM_TOPIC
    )


def _key(column: Fields, value: str) -> Fields:
    schema = _struct(column | {"optional": False}, name=f"{_DEBEZIUM_TOPIC}.Key")
    return {"schema": schema, "payload": {column["field"]: value}}


_ZONED = _column("updated_at", logical="io.debezium.time.ZonedTimestamp", default="1970-01-01T00:00:00.000000Z")
# `created_at timestamp DEFAULT now()`: Debezium names 0 as the default of what only the database can compute.
_READABLE = (_column("id"), _column("body"), _column("brand"), _timestamp("created_at", default=0), _ZONED)
_DEFAULTS = (
    _decimal("id"), _column("body"), _column("brand"),
    _column("created_at", "int64", "io.debezium.time.MicroTimestamp", default=0), _ZONED,
)  # fmt: skip
_CHANGED_US = "2026-11-20T15:03:00.456789Z"
_AFTER = {"id": "4711", "body": _ARRIVED, "brand": "Acme", "created_at": _MADE_MS, "updated_at": _CHANGED_US}
_NULLS = {"id": "4712", "body": _TWICE, "brand": None, "created_at": None, "updated_at": _CHANGED_US}
_GONE = _key(_column("id"), "4712")
_SNAPSHOT = (
    _change("r", _AFTER, _key(_column("id"), "4711"), *_READABLE),
    _change("c", _NULLS, _GONE, *_READABLE),
)
_DEBEZIUM = (
    *_SNAPSHOT,
    _change("d", None, _GONE, *_READABLE),
    {"topic": _DEBEZIUM_TOPIC, "key": _GONE, "value": None},
)
_DEBEZIUM_ARRIVES = (
    ('{"id":"4711"}', {"id": "4711", "text": _ARRIVED, "brand": "Acme", "created_at": _MADE_MS,
                       "version": _CHANGED_US, "source": "desk"}),
    ('{"id":"4712"}', {"id": "4712", "text": _TWICE, "brand": None, "created_at": None,
                       "version": _CHANGED_US, "source": "desk"}),
)  # fmt: skip


def _plain(time: Fields, column: Fields) -> Fields:
    """A row without a logical type but perhaps that of the time."""
    row = {"id": 7, "body": _ARRIVED, "updated_at": 3}
    return _line(row | time, _struct(_column("id", "int64"), _column("body"), column, _column("updated_at", "int64")))


def _plain_arrives(time: object) -> tuple[tuple[str | None, Fields], ...]:
    value = {"id": 7, "text": _ARRIVED, "created_at": time, "version": 3, "source": "desk"}
    return (('{"id":7}', value),)


_HTTP = _struct(
    _column("value", optional=False),
    _column("key"),
    _column("timestamp", "int64"),
    name="com.github.castorm.kafka.connect.http.Value",
)
_HTTP_KEY = _struct(_column("key"), name="com.github.castorm.kafka.connect.http.Key")
_TICKET = {"id": 4711, "text": _ARRIVED, "created_at": _MADE, "version": _CHANGED, "source": "desk"}

CASES = (
    Case(
        "jdbc",
        "jdbc",
        _JDBC,
        (
            ('{"id":4711}', {"id": 4711, "text": _ARRIVED, "created_at": _MADE_MS, "brand": "Acme",
                             "version": _CHANGED_MS, "source": "desk"}),
            ('{"id":4712}', {"id": 4712, "text": _TWICE, "created_at": None, "brand": None,
                             "version": _CHANGED_MS, "source": "desk"}),
        ),
        (("4711", _MADE, _CHANGED_MS), ("4712", None, _CHANGED_MS)),
    ),
    Case(
        "debezium",
        "debezium",
        _DEBEZIUM,
        _DEBEZIUM_ARRIVES,
        (("4711", _MADE, _CHANGED_US), ("4712", None, _CHANGED_US)),
        needs_debezium=True,
    ),
    Case(
        "debezium-with-its-defaults",
        "debezium",
        (
            _change("r", _AFTER | {"id": _bytes(4711), "created_at": _MADE_MS * 1000 + 456},
                    _key(_decimal("id"), _bytes(4711)), *_DEFAULTS),
        ),
        (
            ('{"id":4711}', {"id": 4711, "text": _ARRIVED, "brand": "Acme", "created_at": _MADE_MS * 1000 + 456,
                             "version": _CHANGED_US, "source": "desk"}),
        ),
        (("4711", _MADE, _CHANGED_US),),
        {"decimal.handling.mode": None, "time.precision.mode": None, "key.converter.decimal.format": "NUMERIC"},
        needs_debezium=True,
    ),
    Case(
        "http",
        "http",
        (
            _line({"value": json.dumps(_TICKET), "key": "4711", "timestamp": _CHANGED_MS}, _HTTP,
                  {"schema": _HTTP_KEY, "payload": {"key": "4711"}}),
        ),
        (("4711", _TICKET),),
        (("4711", _MADE, _CHANGED),),
    ),
    Case(
        "http-with-plain-strings",
        "http",
        ({"topic": TOPIC, "key": _text("4711"), "value": _text(json.dumps(_TICKET))},),
        (("4711", _TICKET),),
        (("4711", _MADE, _CHANGED),),
        {"transforms": ""},
    ),
    Case(
        "lines",
        "lines",
        (_ARRIVED, "客服一直不接电话"),
        (
            (None, {"text": _ARRIVED, "source": "suggestions"}),
            (None, {"text": "客服一直不接电话", "source": "suggestions"}),
        ),
        ((None, None, None), (None, None, None)),
    ),
    # Times in other forms, for TimestampConverter as docs/connect.md says.
    Case(
        "epoch-seconds",
        "jdbc",
        (_plain({"created_at": _MADE_MS // 1000}, _column("created_at", "int32")),),
        _plain_arrives(_MADE_MS // 1000 * 1000),
        (("7", "2026-11-20T14:03:00.000Z", 3),),
        {
            "transforms": "key,names,source,long,time",
            "transforms.long.type": f"{_TRANSFORMS}.Cast$Value",
            "transforms.long.spec": "created_at:int64",
            "transforms.long.replace.null.with.default": "false",
            "transforms.time.type": f"{_TRANSFORMS}.TimestampConverter$Value",
            "transforms.time.field": "created_at",
            "transforms.time.unix.precision": "seconds",
            "transforms.time.target.type": "Timestamp",
            "transforms.time.replace.null.with.default": "false",
        },
    ),
    Case(
        "date",
        "jdbc",
        (_plain({"created_at": 20_777}, _column("created_at", "int32", "org.apache.kafka.connect.data.Date")),),
        _plain_arrives(20_777 * 86_400_000),
        (("7", "2026-11-20T00:00:00.000Z", 3),),
        {
            "transforms": "key,names,source,time",
            "transforms.time.type": f"{_TRANSFORMS}.TimestampConverter$Value",
            "transforms.time.field": "created_at",
            "transforms.time.target.type": "Timestamp",
            "transforms.time.replace.null.with.default": "false",
        },
    ),
    Case(
        "time-as-text",
        "jdbc",
        (_plain({"created_at": "2026-11-20 14:03:00"}, _column("created_at")),),
        _plain_arrives("2026-11-20 14:03:00"),
        (("7", "2026-11-20T14:03:00.000Z", 3),),
    ),
)  # fmt: skip
"""Each recipe with records of its connector, and the variants that docs/connect.md describes."""

PITFALLS = (
    Case(
        "null-becomes-the-default",
        "debezium",
        _SNAPSHOT[1:],
        (
            ('{"id":"4712"}', {"id": "4712", "text": _TWICE, "brand": None, "created_at": 0,
                               "version": _CHANGED_US, "source": "desk"}),
        ),
        changes={"transforms.names.replace.null.with.default": None},
        needs_debezium=True,
    ),
    Case(
        "converter-writes-the-default",
        "debezium",
        _SNAPSHOT[1:],
        (
            ('{"id":"4712"}', {"id": "4712", "text": _TWICE, "brand": None, "created_at": 0,
                               "version": _CHANGED_US, "source": "desk"}),
        ),
        changes={"value.converter.replace.null.with.default": None},
        needs_debezium=True,
    ),
    Case(
        "decimal-is-base64",
        "jdbc",
        _JDBC[:1],
        (
            ('{"id":4711}', {"id": "Emc=", "text": _ARRIVED, "created_at": _MADE_MS, "brand": "Acme",
                             "version": _CHANGED_MS, "source": "desk"}),
        ),
        changes={"value.converter.decimal.format": None},
    ),
)  # fmt: skip
"""What arrives without a setting that the recipes have."""

_CONVERTED: dict[str, str | None] = {
    "transforms": "key,names,source,time",
    "transforms.time.type": f"{_TRANSFORMS}.TimestampConverter$Value",
    "transforms.time.field": "created_at",
    "transforms.time.target.type": "unix",
}

FAILURES = (
    (
        Case("fields-of-a-string", "jdbc", ({"topic": TOPIC, "key": None, "value": _text("{}")},), ()),
        "Only Struct objects supported for [copying fields from value to key], found: java.lang.String",
    ),
    (
        Case(
            "converted-text",
            "jdbc",
            (_plain({"created_at": _MADE}, _column("created_at")),),
            (),
            changes=_CONVERTED,
        ),
        'Cannot invoke "java.text.SimpleDateFormat.parse(String)" because "config.format" is null',
    ),
    (
        Case(
            "converted-int32",
            "jdbc",
            (_plain({"created_at": _MADE_MS // 1000}, _column("created_at", "int32")),),
            (),
            changes=_CONVERTED,
        ),
        "Schema Schema{INT32} does not correspond to a known timestamp type format",
    ),
)
"""What ends the connector's task, and words of its message."""
