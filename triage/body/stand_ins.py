"""Recognizes the default texts that shops insert if a customer left the comment empty."""

import re

from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "stand_ins")
_CHINESE = re.compile(any_of(_PATTERNS["chinese"]))
_ENGLISH = re.compile(any_of(_PATTERNS["english"]), re.IGNORECASE)
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
    if bare.isascii():
        return _ENGLISH.fullmatch(bare) is not None
    return _CHINESE.fullmatch(bare.replace(" ", "")) is not None
