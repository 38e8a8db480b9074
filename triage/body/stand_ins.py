"""Recognizes the texts that shops put where a customer wrote nothing."""

import re

from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "stand_ins")
_CHINESE = re.compile(any_of(_PATTERNS["chinese"]))
_ENGLISH = re.compile(any_of(_PATTERNS["english"]), re.IGNORECASE)
_TRIMMED = " \t\r\n.。!！,，、…~～()（）[]【】\"'“”‘’「」*-—"
# The longest stand-in seen has 30 characters; longer texts are not even compared.
_LONGEST = 80


def is_stand_in(text: str) -> bool:
    """Test whether a text is one that shops put where a customer wrote nothing.

    True for `此用户没有填写评价。`, `This customer left no comment.` and their many forms, and for nothing else.
    """
    if len(text) > _LONGEST:
        return False
    bare = re.sub(r"[\s,，、!！。.]+", " ", text.strip(_TRIMMED)).strip()
    if not bare:
        return False
    if bare.isascii():
        return _ENGLISH.fullmatch(bare) is not None
    return _CHINESE.fullmatch(bare.replace(" ", "")) is not None
