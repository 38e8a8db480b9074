"""Redacts named fields: attributes, and raw payloads for the dead-letter topic."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from triage.decoding import DecodeError, decoded
from triage.redaction.fieldnames import is_person_id, is_personal, plain
from triage.redaction.kinds import PLACEHOLDER, REMOVED

Scalar = str | int | float | bool

_MAX_DEPTH = 64
_HASHED = re.compile(r"v[a-z0-9]{1,8}:[0-9a-f]{32}")
_BROKEN_FIELD = re.compile(
    r"(?P<open>[\"']?)(?<![A-Za-z0-9_.\-\u4e00-\u9fff])(?P<key>[A-Za-z_\u4e00-\u9fff][A-Za-z0-9_.\-\u4e00-\u9fff]{1,60}+)"
    r"(?P=open)(?P<sign>\s{0,4}[:=]\s{0,4})"
    r"(?P<value>\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[^\s,;{}\[\]\"'&]++)"
)
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrtbf])|(/))")


class FieldRedactor:
    """Redacts fields by their names (`author_id`, `name`, `address`) and by their values."""

    def __init__(self, redact_text: Callable[[str], str], author_hash: Callable[[str | None, str], str]) -> None:
        self._redact_text = redact_text
        self._author_hash = author_hash

    def attributes(self, attributes: Mapping[str, Scalar]) -> dict[str, Scalar]:
        redacted: dict[str, Scalar] = {}
        for key, value in attributes.items():
            redacted[self._unique(key, redacted)] = self._value(key.split("."), value, None)
        return redacted

    def payload(self, payload: bytes | str) -> str:
        if isinstance(payload, bytes):
            try:
                payload = payload.decode("utf-8")
            except UnicodeDecodeError:
                return f"[{len(payload)} bytes that are not UTF-8]"
        try:
            node = self._node(decoded(json.loads, payload), [], None)
            redacted = decoded(json.dumps, node, ensure_ascii=False, separators=(",", ":"))
        except DecodeError:
            redacted = self._broken(payload)
        # A lone surrogate (the escape \ud800 in JSON) cannot be encoded as UTF-8.
        return redacted.encode("utf-8", "replace").decode()

    def _node(self, node: Any, path: list[str], source: str | None) -> Any:
        if len(path) > _MAX_DEPTH or (isinstance(node, (dict, list)) and is_personal(path)):
            return REMOVED
        if isinstance(node, list):
            return [self._node(item, path, source) for item in node]
        if not isinstance(node, dict):
            return self._value(path, node, source)
        if not path and isinstance(node.get("source"), str):
            source = node["source"]
        redacted: dict[str, Any] = {}
        for key, value in node.items():
            redacted[self._unique(key, redacted)] = self._node(value, [*path, key], source)
        return redacted

    def _unique(self, key: str, taken: Mapping[str, Any]) -> str:
        """The redacted key; numbered (`[EMAIL]#2`) if another field has that name, so that none is overwritten."""
        name = unique = self._redact_text(key)
        count = 1
        while unique in taken:
            count += 1
            unique = f"{name}#{count}"
        return unique

    def _value(self, path: list[str], value: Any, source: str | None) -> Any:
        """The redacted value of a field.

        `path` is the field's name, outermost first; `source` is the record's, for the hash of its own author_id.
        """
        if value is None or value == "" or isinstance(value, bool):
            return value
        text = value if isinstance(value, str) else _digits(value)
        if is_person_id(path):
            if _HASHED.fullmatch(text) or PLACEHOLDER.fullmatch(text):
                return text
            own = len(path) == 1 and plain(path[0]) == "authorid"
            return self._author_hash(source if own else f"attributes.{plain(path[-1])}", text)
        if is_personal(path):
            return text if PLACEHOLDER.fullmatch(text) else REMOVED
        redacted = self._redact_text(text)
        return value if redacted == text else redacted

    def _broken(self, payload: str) -> str:
        """Redact broken JSON: undo escapes, so that \\u0040 is an @ again, and remove the values of personal fields."""
        text = _SURROGATES.sub(
            lambda pair: chr(0x10000 + ((int(pair[1], 16) - 0xD800) << 10) + int(pair[2], 16) - 0xDC00), payload
        )
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[3] or " ", text)
        return self._redact_text(_BROKEN_FIELD.sub(_broken_field, text))


def _broken_field(match: re.Match[str]) -> str:
    path = match["key"].split(".")
    if not (is_person_id(path) or is_personal(path)):
        return match[0]
    quote = match["value"][0] if match["value"][0] in "\"'" else ""
    return f"{match['open']}{match['key']}{match['open']}{match['sign']}{quote}{REMOVED}{quote}"


def _digits(value: float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e20 else str(value)
