"""Recognizes messages that a program wrote: absence notes, receipts, bounces, notices, one-time codes."""

import re

from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "automatic")
_BEGINNING = re.compile(any_of(_PATTERNS["beginnings"]), re.IGNORECASE)
_SENTENCE = re.compile(any_of(_PATTERNS["sentences"]), re.IGNORECASE)
_OPENING = re.compile(f"{any_of(_PATTERNS['openings'])}*", re.IGNORECASE)
_REQUEST = re.compile(any_of(_PATTERNS["requests"]), re.IGNORECASE)
_LONGEST = 2_000
# A text without any of these holds none of the sentences, as most texts; a test holds them to it.
_CUES = tuple(_PATTERNS["cues"])


def is_automatic(text: str) -> bool:
    """True where the text was written by a program or is an absence note; False where a person wants something."""
    if len(text) > _LONGEST:
        return False
    opening = _OPENING.match(text)
    if _BEGINNING.match(text, opening.end() if opening else 0) is None:
        lowered = text.lower()
        if not any(cue in lowered for cue in _CUES) or _SENTENCE.search(text) is None:
            return False
    return _REQUEST.search(text) is None
