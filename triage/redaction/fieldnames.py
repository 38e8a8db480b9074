"""Recognizes fields that hold personal data by their name, in several languages; the words are in fieldnames.yaml."""

import re
import unicodedata
from functools import lru_cache

from triage.han import simplified
from triage.patterns import load_patterns

_WORDS = {name: frozenset(words) for name, words in load_patterns("triage.redaction", "fieldnames").items()}
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z\u00c0-\u024f\u4e00-\u9fff]+")
# What a phrase is about stands before these: `response to consumer`, `number of contacts`.
_PREPOSITIONS = frozenset(("to", "of", "by", "for", "von", "de", "del"))
_HAN = re.compile("[\u4e00-\u9fff]")
_PERSON_ZH = re.compile("(?:[\u4e00-\u9fff]人|者)$")
_NOT_PERSON_ZH = re.compile("(?:机器人|无人)$")


def plain(name: str) -> str:
    """Letters and digits alone, in lower case."""
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", name.lower())


def is_person_id(path: list[str]) -> bool:
    """True for `author_id`, `Customer No.`, `user.id`, `会员编号`: hashed, so that a person can still be counted."""
    path = [part for part in path if part]
    if not path:
        return False
    if _HAN.search(path[-1]):
        name = _chinese(path[-1])
        owned = any(word in name for word in _WORDS["people_zh"])
        return owned and _ends(name, "ids_zh") and not _ends(name, "data_zh")
    words = _words(path[-1])
    if plain(path[-1]) in _WORDS["person_ids"]:
        return True
    if not words or words[-1] not in _WORDS["ids"]:
        return False
    owners = words[:-1] or (_words(path[-2]) if len(path) > 1 else ())
    return any(_is_person(word) for word in owners) and plain(path[-1]) not in _WORDS["data"]


def is_personal(path: list[str]) -> bool:
    """True for `email`, `Billing name`, `客户姓名`; `name` is personal unless its parent is not a person."""
    names = [part for part in path if part and not part.isdigit()]
    if not names:
        return False
    last = names[-1]
    if _HAN.search(last):
        return _is_personal_zh(_chinese(last))
    words = _words(last)
    if len(words) == 1 and words[0] in _WORDS["name_words"] and len(names) > 1:
        return any(_is_person(word) for word in _words(names[-2]))
    return plain(last) in _WORDS["data"] or _is_about_a_person(words)


def _is_about_a_person(words: tuple[str, ...]) -> bool:
    if not words:
        return False
    before, head = words[:-1], words[-1]
    if head in _WORDS["name_words"]:
        return not before or any(_is_person(word) or word in _WORDS["name_owners"] for word in before)
    if head in _WORDS["ids"]:
        return any(word in _WORDS["networks"] for word in before)
    if any(word in _WORDS["things"] for word in before):
        return False
    if "".join(words[-2:]) in _WORDS["data"]:
        return True
    return head in _WORDS["data"] or (_is_person(head) and head != "account")


def _is_personal_zh(name: str) -> bool:
    if _ends(name, "data_zh"):
        return True
    if _ends(name, "name_words_zh"):
        bare = name.removesuffix("称").removesuffix("名")
        return any(bare.endswith(word) for word in _WORDS["people_zh"]) or bool(_PERSON_ZH.search(bare))
    if any(name.endswith(word) for word in _WORDS["people_zh"]):
        return True
    return bool(_PERSON_ZH.search(name)) and not _NOT_PERSON_ZH.search(name)


def _ends(name: str, group: str) -> bool:
    return any(name.endswith(word.lower()) for word in _WORDS[group])


def _chinese(name: str) -> str:
    return plain(simplified(name))


def _is_person(word: str) -> bool:
    return word in _WORDS["people"] or (word.endswith("s") and word[:-1] in _WORDS["people"])


@lru_cache(4_096)
def _words(name: str) -> tuple[str, ...]:
    """The words of a name up to what it is about: `shippingAddress1` is shipping, address."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    words = [word.lower().rstrip("0123456789") or word for word in _BOUNDARY.split(bare) if word]
    for index, word in enumerate(words[1:], 1):
        if word in _PREPOSITIONS and "".join(words) not in _WORDS["data"]:
            words = words[:index]
            break
    return tuple(words)
