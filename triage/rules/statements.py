"""Tells where a text states a phrase itself, rather than denies it or uses it in a name or a title.

"It never caught fire" denies it, "the poster of 《Explosion》" and "our Hospital Radio subscription" name something.
The tests are of the few words around the phrase; what they can't tell, the model has to.
"""

import re

_REACH = 48
"""Code points before a phrase that can hold its negation."""
_DENIED = re.compile(
    r"(?:\b(?:no|not|never|without|nobody|none|hardly|nor|neither|non|zero|anti|un)\b|n['’]t\b|\bno one\b)"
    r"(?:[\s\-]+(?!(?:only|just|merely|even|when|that|it|they|he|she|we|you|i|how|why|believe|because|told|know|sure|"
    r"think|helped|cared|noticed|until|after|before)\b)[\w'’]+){0,2}[\s\-]*$",
    re.IGNORECASE,
)
_DENIED_CHINESE = re.compile(
    r"(?:没有?|沒有?|不会|不會|不曾|不|未曾?|无|無|防|非|冇|唔会|唔會|唔|免|抗|反)"
    r"(?:人|任何|发生|發生|出现|出現|再|有|引起|导致|造成|因为|因此|會|会)?$"
)
_TITLES = re.compile(r"《[^》]{1,40}》|〈[^〉]{1,40}〉|「[^」]{1,40}」|[\"“]([^\"”“]{1,60})[\"”]")
_SENTENCE_START = re.compile(r"(?:^|[.!?\n:…]|[\"“(])\s*$")


def states(text: str, start: int, end: int) -> bool:
    """True if the text states its part [start, end), in code points, a phrase that was found there.

    It does not if it denies the phrase, or uses it in a name or title.
    """
    before = text[max(0, start - _REACH) : start]
    if _DENIED.search(before) or _DENIED_CHINESE.search(before):
        return False
    return not _in_title(text, start, end) and not _in_name(text, start, end)


def _in_title(text: str, start: int, end: int) -> bool:
    for title in _TITLES.finditer(text):
        if title.start() <= start and end <= title.end():
            quoted = title[1]
            # In straight quotes people also stress words: a title has capitals.
            return quoted is None or _capitalised(quoted)
    return False


def _in_name(text: str, start: int, end: int) -> bool:
    phrase = text[start:end]
    if not phrase[:1].isupper() or not _capitalised(phrase) or text.isupper() or phrase.isupper():
        return False
    if not _SENTENCE_START.search(text[:start]):
        return True
    # At the beginning of a sentence every word has a capital: the next one tells.
    following = re.match(r"\s+([\w'’]+)", text[end:])
    return following is not None and following[1][0].isupper() and following[1] not in {"I", "I'm", "I've", "I’m"}


def _capitalised(phrase: str) -> bool:
    words = [word for word in re.findall(r"\w+", phrase) if len(word) > 3 or word[0].isupper()]
    return bool(words) and all(word[0].isupper() for word in words)
