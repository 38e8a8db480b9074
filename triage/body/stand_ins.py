"""Recognizes the default texts that shops insert if a customer left the comment empty."""

import re

from triage.han import simplified
from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "stand_ins")


def _compiled(group: str) -> re.Pattern[str]:
    """The group's patterns as one expression in simplified characters, with the lists of words that they name."""
    joined = any_of(_PATTERNS[group])
    for name, words in _PATTERNS.items():
        joined = joined.replace(f"{{{name}}}", any_of(words))
    return re.compile(simplified(joined), re.IGNORECASE)


_CJK, _WESTERN = _compiled("cjk"), _compiled("western")
_FIRST_CJK = "\u2e80"
# The first characters of the Chinese and Japanese ones; most other texts begin with another.
_BEGINNINGS = frozenset(any_of(_PATTERNS["cjk_beginnings"]))
# The first words of the others.
_FIRST_WORDS = frozenset(_PATTERNS["western_beginnings"])
# Words at the end of a friendly sentence.
_PARTICLES = "哦呢啦哟噢"
_TRIMMED = " \t\r\n.。!！,，、…~～()（）[]【】\"'“”‘’「」*-—"
# The longest stand-in seen has 30 characters; longer texts are not even compared.
_LONGEST = 80


def is_stand_in(text: str) -> bool:
    """True if a text is a shop's default text for an empty comment.

    Such texts are `此用户没有填写评价。`, `This customer left no comment.` and their many variants.
    """
    if len(text) > _LONGEST:
        return False
    trimmed = text.strip(_TRIMMED)
    if not trimmed or not _may_be_one(trimmed):
        return False
    bare = re.sub(r"[\s,，、!！。.]+", " ", trimmed).strip()
    if max(bare) < _FIRST_CJK:
        return _WESTERN.fullmatch(bare.replace("’", "'")) is not None
    return _CJK.fullmatch(simplified(bare.replace(" ", "")).rstrip(_PARTICLES)) is not None


def _may_be_one(text: str) -> bool:
    """True if a text, which is not empty, begins as stand-ins do; most others are told by that."""
    first = text[0]
    if first in _BEGINNINGS or simplified(first) in _BEGINNINGS:
        return True
    return first < _FIRST_CJK and text.split(None, 1)[0].rstrip(".,!").lower() in _FIRST_WORDS
