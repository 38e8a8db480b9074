"""The author's own id where it stands in the record's text or other fields, as in "my customer number is C-1002345"."""

import json
import re

from triage.redaction.kinds import KINDS, REMOVED

_SHORTEST = 5
_PLACEHOLDERS = " ".join([*(kind.placeholder for kind in KINDS.values()), REMOVED]).casefold()
_FIELD = re.compile(r"[\"']?author_id[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<id>[^\s\"',;&{}\[\]]{1,200})")


def mask_author(text: str, author_id: str | None) -> str:
    """Each place where the id stands alone becomes `[HANDLE]`, in any case of letters.

    Only an id of five characters or more with a digit or sign in it: `anna` and `customer` are words of a text, too.
    """
    if not author_id or len(author_id) < _SHORTEST or author_id.isalpha():
        return text
    folded = author_id.casefold()
    # One that is part of a placeholder would be found in its own replacement again.
    if folded in _PLACEHOLDERS or folded not in text.casefold():
        return text
    alone = rf"(?<![0-9A-Za-z_]){re.escape(author_id)}(?![0-9A-Za-z_])"
    return re.sub(alone, KINDS["handle"].placeholder, text, flags=re.IGNORECASE)


def author_of(payload: str) -> str | None:
    """The `author_id` of a raw payload, also of one that is no valid JSON."""
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        found = _FIELD.search(payload)
        return found["id"] if found else None
    author = fields.get("author_id") if isinstance(fields, dict) else None
    if isinstance(author, bool) or not isinstance(author, (str, int, float)):
        return None
    return str(author)
