"""Identifies the language of a text: by its script if that is sufficient, else by py3langid.

Two shortcuts avoid py3langid, by far the most expensive step: the share of Han, kana and hangul characters, and
frequent English words.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

UNDETERMINED = "und"
# This much text is enough for a decision, and py3langid's time grows with the length.
_MAX_CHARS = 240
# Languages to choose from. Rare ones are left out: they share letter groups with short English texts, which would then
# be assigned to them.
_LANGUAGES = """
    af am ar az bg bn ca cs da de el en es et fa fi fr gu he hi hr hu hy id it ka kk km kn lo lt lv mk ml mn mr ms my
    ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi
"""
# Prior odds of English, the most frequent language of feedback: chosen so that short English texts are recognized as
# English without losing texts of other languages (tests/inference/test_language.py).
_ENGLISH_ODDS = 10.0
_MIN_CONFIDENCE = 0.35
_FEW_WORDS = 6
_CYRILLIC = "ru uk bg sr mk kk"
_RUSSIAN_ODDS = 3.0
_CYRILLIC_LETTER = re.compile("[\u0400-\u04ff]")
# Short English words, on which letter statistics fail, and which are rarely words of other languages.
_ENGLISH_WORDS = """
    ok okay hi hey hello thx thanks thank lol wtf omg pls plz please yes yeah nope good bad great nice love hate worst
    best awesome awful terrible never why where when what how sucks broken refund help late wrong works
stars
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
# Frequent English words that are rarely words of other languages. A text with one of these and one more word of either
# list, among few other words, is English without further statistics.
_MARK_WORDS = """
    the and my this with you your they that from been would could should because when what which there their were how
    where why who need please get got our out didn doesn isn wasn won couldn haven hasn don after before still about
    just only than then very again even it its has but
"""
_COMMON_WORDS = """
    I is are was be to of for on in at as by not no have had we me he she will can do did so all if or an a one up
    good bad great nice love help card order ordered money product time day service back never
"""
_MARKS = frozenset(_MARK_WORDS.split())
_COMMON = _MARKS | frozenset(_COMMON_WORDS.split())
_LEAST_COMMON = 2
_WORDS_PER_COMMON = 5
_LINK, _REST = r"https?://\S+|www\.\S+", r"#\w+|[<\[{]\w+[>\]}]|\d+"
# The expressions for links and addresses are slow, an address's most of all, and most texts hold neither.
_NOISE = {
    (True, True): re.compile(rf"{_LINK}|\S+@\S+|@\w+|{_REST}"),
    (True, False): re.compile(rf"{_LINK}|{_REST}"),
    (False, True): re.compile(rf"\S+@\S+|@\w+|{_REST}"),
    (False, False): re.compile(_REST),
}
# A cheap test for texts that may contain noise: most do not, and it takes a tenth of the time of the full pattern.
_NOISE_SIGN = re.compile(r"[@#<\[{\d]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]+")
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]+")
_CAPITAL = re.compile("[A-Z]")
_WORD = re.compile(r"[^\W\d_]+")
# The same for ASCII, four times as fast: all but letters becomes a space.
_ASCII_WORDS = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalpha()})
# One character of these scripts carries about as much text as three Latin letters.
_CJK_WEIGHT = 3


class Language(NamedTuple):
    """The language of a text.

    `code` is a BCP-47 primary subtag, or `und` with `known` False where the language cannot be determined.
    """

    code: str
    known: bool = True


_UNKNOWN = Language(UNDETERMINED, known=False)
_ENGLISH_TEXT = Language("en")


def identify(text: str) -> Language:
    """Identify the language of `text`; links, addresses, @names, #tags, placeholders and digits are ignored.

    Thread-safe.
    """
    sample = text[: 4 * _MAX_CHARS]
    linked = "://" in sample or "www." in sample
    if linked or _NOISE_SIGN.search(sample):
        sample = _NOISE[linked, "@" in sample].sub(" ", sample)
    sample = sample[:_MAX_CHARS]
    ascii_only = sample.isascii()
    words = sample.translate(_ASCII_WORDS).split() if ascii_only else _WORD.findall(sample)
    if not words:
        return _UNKNOWN
    if not ascii_only:
        if found := _by_script(sample, words):
            return found
    elif not _MARKS.isdisjoint(words):
        common = len(_COMMON.intersection(words))
        if common >= _LEAST_COMMON and len(words) <= _WORDS_PER_COMMON * common:
            return _ENGLISH_TEXT
    return _by_letters(sample, words)


def preload() -> None:
    """Load py3langid's model now (about a second) instead of with the first text."""
    _identifier()


def _by_script(sample: str, words: list[str]) -> Language | None:
    han, kana, hangul = [sum(map(len, script.findall(sample))) for script in (_HAN, _KANA, _HANGUL)]
    cjk = han + kana + hangul
    if not cjk:
        return None
    # Latin letters outweigh the others only as sentences: names of products and single words are part of any language.
    if _CJK_WEIGHT * cjk < sum(map(len, words)) - cjk and sum(word in _COMMON for word in words) >= _LEAST_COMMON:
        return None
    if hangul >= max(han, kana):
        return Language("ko")
    # A single kana is decoration in a Chinese text; in Japanese at least every third character is kana.
    if kana > 1 and kana >= 0.15 * (han + kana):
        return Language("ja")
    return Language("zh" if han else "ja")


def _by_letters(sample: str, words: list[str]) -> Language:
    if 2 * len(_CAPITAL.findall(sample)) > sum(map(len, words)):
        sample = sample.lower()
    scores = dict(_identifier().rank(sample))
    scores["en"] *= _ENGLISH_ODDS
    code = max(scores, key=scores.__getitem__)
    if scores[code] >= _MIN_CONFIDENCE * sum(scores.values()):
        return Language(code)
    if sample.isascii():
        # Too short or misspelt for statistics: of the languages of such letters English is the most frequent by far.
        return (
            _ENGLISH_TEXT if len(words) <= _FEW_WORDS or any(word.lower() in _ENGLISH for word in words) else _UNKNOWN
        )
    cyrillic = {name: scores[name] * (_RUSSIAN_ODDS if name == "ru" else 1) for name in _CYRILLIC.split()}
    if _CYRILLIC_LETTER.search(sample):
        return Language(max(cyrillic, key=cyrillic.__getitem__))
    return _UNKNOWN


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_LANGUAGES.split())
    # Choosing languages leaves each feature's probabilities spread over the table's 12 MB, so that reading them misses
    # the processor's cache for every language.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)
    return identifier
