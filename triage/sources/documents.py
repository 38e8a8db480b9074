"""Recognizes JSON that is one document instead of one object per line, and describes how to convert it."""

import json
import re

from triage.decoding import DecodeError, decoded

_WHOLE_ARRAY = re.compile(rb"\[\s*(?:\{|\]|$)")
_FIRST_ARRAY = re.compile(rb'"([A-Za-z_][A-Za-z0-9_]{0,60})"\s*:\s*\[\s*\{')


def document_problem(head: bytes, name: str) -> str | None:
    """Describe why a file that begins with the bytes `head` is not JSON lines, with the fix; None if it can be.

    `name` is the file's name in the message.
    """
    start = head.lstrip()
    if _WHOLE_ARRAY.match(start):
        return f"this is a JSON array; make it one object a line: jq -c '.[]' {name}"
    first = start.partition(b"\n")[0].strip()
    if not first.startswith(b"{"):
        return None
    found = _FIRST_ARRAY.search(start)
    path = f".{found[1].decode()}[]" if found else "."
    problem = f"this is one JSON document; make it one object a line: jq -c '{path}' {name}"
    # Of a line without an end, however long, nothing can be said: it is refused as a row that is too long.
    if b"\n" in start and first.endswith((b"{", b"[", b"[{")):
        return problem
    if found is not None and start.count(b"\n") <= 1 and _holds_only_lists(first):
        return problem
    return None


def _holds_only_lists(line: bytes) -> bool:
    """Return True for a line like `{"tickets": [...], "count": 2}`: an object around a list, without a field `text`."""
    try:
        fields = decoded(json.loads, line)
    except DecodeError:
        return False
    first = next(iter(fields.values()), None) if isinstance(fields, dict) else None
    return isinstance(first, list) and len(fields) <= 6 and "text" not in fields
