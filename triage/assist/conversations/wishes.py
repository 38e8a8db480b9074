"""Recognizes a customer's wishes about the conversation itself: a person, its end, a greeting, yes or no.

English and Chinese, direct or indirect. Patterns are matched on case-folded text in simplified characters; those for a
person are in `patterns.yaml`.
"""

import re

from triage.assist.conversations.cantonese import as_mandarin
from triage.assist.conversations.patterns import compiled, spelling
from triage.rules.phrases import normalized

_WISHES, _DECLINES = compiled("wishes"), compiled("declines")
_GREETING, _FAREWELL, _SOLVED = (compiled(name)["any"] for name in ("greeting", "farewell", "solved"))
# An answer is read from its beginning first: "no, I have not" is no, and so is "not yet, but I have tried".
_YES, _NO = compiled("affirms")["any"], compiled("denies")["any"]
_YES_LATER, _NO_LATER = compiled("affirms_later")["any"], compiled("denies_later")["any"]
_SPELLING = spelling()
# Words of chats, written out before patterns are looked for.
_SHORT = {
    "ur": "your",
    "u": "you",
    "sum1": "someone",
    "some1": "someone",
    "any1": "anyone",
    "ppl": "people",
    "pls": "please",
    "plz": "please",
}
_SHORT_WORD = re.compile(r"\b(?:ur|u|sum1|some1|any1|ppl|pls|plz)\b|\bw/ ?")
_LATIN_WORD = re.compile(r"[a-z]{5,15}")
_MAX_CHARS = 2_000
_HAN = re.compile("[\u4e00-\u9fff]")


def prepared(text: str) -> str:
    """Prepare a text for all functions here: case-folded, simplified, Mandarin, at most 2,000 characters."""
    plain = as_mandarin(normalized(text[:_MAX_CHARS])).replace("’", "'").replace("‘", "'").strip()
    return _SHORT_WORD.sub(lambda found: _SHORT.get(found[0], "with "), plain)


def wants_person(text: str) -> bool:
    """True if a text from `prepared` asks for a person, directly or indirectly, and does not decline one."""
    left = _DECLINES["zh"].sub(" ", _DECLINES["en"].sub(" ", text))
    if _WISHES["en"].search(left) or _WISHES["en"].search(_LATIN_WORD.sub(_corrected, left)):
        return True
    return _HAN.search(left) is not None and _WISHES["zh"].search(left) is not None


def is_greeting(text: str) -> bool:
    """True if a text from `prepared` consists only of a greeting."""
    return _is_only(_GREETING, text)


def is_farewell(text: str) -> bool:
    """True if a text from `prepared` consists only of thanks or a goodbye."""
    return _is_only(_FAREWELL, text)


def says_solved(text: str) -> bool:
    """True if a text from `prepared` says that the problem has been solved."""
    return _SOLVED.search(text) is not None


def yes_or_no(text: str) -> str | None:
    """Return `yes` or `no` if a text from `prepared` answers a yes-or-no question so; None if it does neither."""
    if _NO.search(text):
        return "no"
    if _YES.search(text):
        return "yes"
    later = _NO_LATER.search(text), _YES_LATER.search(text)
    if later[0]:
        return "no"
    return "yes" if later[1] else None


def _corrected(found: re.Match[str]) -> str:
    word = found[0]
    return next((right for right in _SPELLING if _one_off(word, right)), word)


def _one_off(word: str, right: str) -> bool:
    """True if one letter of `word` is wrong, missing, too many, or swapped with the next."""
    if abs(len(word) - len(right)) > 1 or word == right:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, right, strict=False)) if a != b), min(len(word), len(right)))
    rest, wanted = word[start:], right[start:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[2:] == wanted[2:] and rest[:2] == wanted[1::-1])
    )


def _is_only(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text.strip(" \t\r\n.,!?~。，！？、;；:：")) is not None
