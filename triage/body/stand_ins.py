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
    bare = re.sub(r"[\s,，、!！。.]+", " ", text.strip(_TRIMMED)).strip()
    if not bare:
        return False
    if max(bare) < _FIRST_CJK:
        return _WESTERN.fullmatch(bare.replace("’", "'")) is not None
    if bare[0] not in _BEGINNINGS and simplified(bare[0]) not in _BEGINNINGS:
        return False
    return _CJK.fullmatch(simplified(bare.replace(" ", "")).rstrip(_PARTICLES)) is not None
