"""Selects the language in which a customer is answered."""

import re

from triage.assist.playbooks.model import LANGUAGES

_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")


def reply_language(text: str, detected: str, before: str | None) -> str:
    """Return the language of the reply: the one in which most of `text` is written, else the previous one, `before`.

    A text in both languages keeps the previous one; a number or a code changes nothing. `detected` is used if neither
    the text nor `before` shows a language.
    """
    han, words = len(_HAN.findall(text)), len(_WORD.findall(text))
    # A Han character is about half a word.
    if before is not None and han and words:
        return before
    if han > words:
        return "zh"
    if words > 1 or (words and before is None):
        return "en"
    if before is not None:
        return before
    return detected if detected in LANGUAGES else LANGUAGES[0]
