"""Recognizes fields that hold personal data by their name, in several languages; the words are in fieldnames.yaml."""

import re
import unicodedata
from functools import lru_cache

from triage.han import simplified
from triage.patterns import load_patterns

_WORDS = {name: frozenset(words) for name, words in load_patterns("triage.redaction", "fieldnames").items()}
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z\u00c0-\u024f\u4e00-\u9fff]+")
# `Name of product` is `product name`; what stands after the others says nothing of the value: `response to consumer`.
_OF = frozenset(
    ("of", "de", "del", "della", "dello", "dell", "di", "du", "des", "d", "do", "da", "von", "van", "af", "av")
)
_OTHER_PREPOSITIONS = frozenset(("to", "by", "for", "par", "por", "para", "pour", "fur"))
_SHIP_TO = len(("ship", "to"))
_ARTICLES = frozenset(("the", "la", "le", "l", "el", "lo", "los", "las", "les", "der", "dem", "den", "het"))
# `Number of contacts`, French `Nombre de contacts`: how many.
_COUNTS = frozenset(("number", "no", "num", "nombre", "count", "anzahl", "numero"))
_HAN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_PERSON_ZH = re.compile("(?:[\u4e00-\u9fff]人|者)$")
_NOT_PERSON_ZH = re.compile("(?:机器人|无人)$")
_COMPOUND_ENDS = sorted(_WORDS["compound_ends"], key=len, reverse=True)
_KNOWN = _WORDS["data"] | _WORDS["people"] | _WORDS["person_ids"]
_OWNERS = _WORDS["people"] | _WORDS["name_owners"]
_NUMBERS_ZH = sorted(_WORDS["numbers_zh"], key=len, reverse=True)


def plain(name: str) -> str:
    """Reduce a field name to its letters and digits, in lower case."""
    return re.sub(r"[^0-9a-z\u3040-\u30ff\u4e00-\u9fff]", "", name.lower())


def is_person_id(path: list[str]) -> bool:
    """True if the field name shows that the value is a person's id: `author_id`, `Customer No.`, `user.id`, `会员编号`.

    `path` has the field names from the outermost to the innermost. Such values are hashed, so that records of one
    person can still be counted.
    """
    path = [part for part in path if part]
    if not path:
        return False
    if _HAN.search(path[-1]):
        name = _chinese(path[-1])
        owned = any(word in name for word in _WORDS["people_zh"])
        return owned and _ends(name, "ids_zh") and not _is_data_zh(name)
    words = _words(path[-1])
    joined = "".join(words)
    if joined in _WORDS["person_ids"]:
        return True
    if not words or words[-1] not in _WORDS["ids"] or joined in _WORDS["data"] or _is_number_of_data(words):
        return False
    owners = words[:-1] or (_words(path[-2]) if len(path) > 1 else ())
    return any(_is_person(word) for word in owners)


def is_personal(path: list[str]) -> bool:
    """True if the field name shows that the value is personal data: `email`, `Billing name`, `客户姓名`.

    `path` has the field names from the outermost to the innermost. `name` is personal unless its parent is not a
    person.
    """
    names = [part for part in path if part and not part.isdigit()]
    if not names:
        return False
    last = names[-1]
    if _HAN.search(last):
        return _is_personal_zh(_chinese(last))
    words = _words(last)
    if "".join(words) in _WORDS["no_person"]:
        return False
    if len(words) == 1 and words[0] in _WORDS["name_words"] and len(names) > 1:
        return any(_is_person(word) for word in _words(names[-2]))
    return "".join(words) in _WORDS["data"] or _is_about_a_person(words) or _is_done_by_a_person(last)


def _is_about_a_person(words: tuple[str, ...]) -> bool:
    if not words:
        return False
    before, head = words[:-1], words[-1]
    if head in _WORDS["name_words"]:
        return not before or any(_is_person(word) or word in _WORDS["name_owners"] for word in before)
    if any(word in _WORDS["things"] for word in before):
        return False
    if "".join(words[-2:]) in _WORDS["data"] or _is_number_of_data(words):
        return True
    if head in _WORDS["ids"]:
        # `LINE ID` is a name, `Line number` a row of an order.
        return any(word in _WORDS["networks"] for word in before) and not (before == ("line",) and head != "id")
    of_birth = head in _WORDS["of_birth"] and any(word in _WORDS["births"] for word in before[-1:])
    return of_birth or head in _WORDS["data"] or (_is_person(head) and head != "account")


def _is_number_of_data(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[-1] in _WORDS["numbers"] and words[-2] in _WORDS["data"]


def _is_done_by_a_person(name: str) -> bool:
    words = _all_words(name)
    return len(words) > 1 and (
        (words[-1] in {"by", "von", "par", "por"} and words[-2] in _WORDS["done_by"])
        or (words[-1] == "to" and words[-2] in _WORDS["given_to"])
    )


def _is_personal_zh(name: str) -> bool:
    if name in _WORDS["whole_zh"] or _is_data_zh(name):
        return True
    if _ends(name, "name_words_zh"):
        bare = name.removesuffix("称").removesuffix("名")
        return any(bare.endswith(word) for word in _WORDS["people_zh"]) or bool(_PERSON_ZH.search(bare))
    if any(name.endswith(word) for word in _WORDS["people_zh"]):
        return True
    return bool(_PERSON_ZH.search(name)) and not _NOT_PERSON_ZH.search(name)


def _is_data_zh(name: str) -> bool:
    bare = next((name.removesuffix(word) for word in _NUMBERS_ZH if name.endswith(word)), name)
    owners = (
        whole.removesuffix(word.lower())
        for whole in {name, bare}
        for word in _WORDS["data_zh"]
        if whole.endswith(word.lower())
    )
    return any(not owner.endswith(tuple(_WORDS["things_zh"])) for owner in owners)


def _ends(name: str, group: str) -> bool:
    return any(name.endswith(word.lower()) for word in _WORDS[group])


def _chinese(name: str) -> str:
    """A Chinese field name without signs, and without the number of a repeated column: `电话2`."""
    return plain(simplified(name)).rstrip("0123456789")


def _is_person(word: str) -> bool:
    return word in _WORDS["people"] or (word.endswith("s") and word[:-1] in _WORDS["people"])


@lru_cache(4_096)
def _all_words(name: str) -> tuple[str, ...]:
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", name.replace("ß", "ss")) if not unicodedata.combining(char)
    )
    # One word, though written as two.
    bare = bare.replace("WhatsApp", "Whatsapp").replace("WeChat", "Wechat").replace("LinkedIn", "Linkedin")
    words = [word.lower().rstrip("0123456789") or word for word in _BOUNDARY.split(bare) if word]
    return tuple(part for word in words for part in _parts(word))


@lru_cache(4_096)
def _words(name: str) -> tuple[str, ...]:
    """The words of a field name in English order, with the noun that says what the field holds at the end.

    `shippingAddress1` is shipping, address; `Nom du client` is client, nom; `Nombre completo` is nombre.
    """
    words = _all_words(name)
    if "".join(words) in _WORDS["data"]:
        return words
    # `Ship to name`: of the person that it is shipped to.
    if len(words) > _SHIP_TO and words[1] == "to" and words[0] in _WORDS["given_to"]:
        words = ("shipping", *words[_SHIP_TO:])
    index = next((at for at in range(1, len(words)) if words[at] in _OF or words[at] in _OTHER_PREPOSITIONS), None)
    if index is not None:
        words = _in_english_order(words, index)
    return words if "".join(words) in _WORDS["data"] else _noun(words)


def _in_english_order(words: tuple[str, ...], index: int) -> tuple[str, ...]:
    """The words around the preposition at `index` in English order: those after it first, if they name the owner."""
    before, after = words[:index], words[index + 1 :]
    if words[index] in _OTHER_PREPOSITIONS:
        return before
    of = tuple(word for word in after if word not in _OF and word not in _ARTICLES)
    if of and before[-1] in _COUNTS and of[-1].endswith("s"):
        return before if before[-1] not in _WORDS["name_words"] else ()
    return _noun(of) + before


def _noun(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without adjectives, numbers and the like at the end."""
    while len(words) > 1 and (words[-1] in _WORDS["adjectives"] or words[-1].isdigit()):
        words = words[:-1]
    return words


def _parts(word: str) -> tuple[str, ...]:
    """Split a compound word into the person and the data: `kundenname` is kunde, name. Other words are one part."""
    if word in _KNOWN:
        return (word,)
    return next(
        (
            (owner, end)
            for end in _COMPOUND_ENDS
            if word.endswith(end)
            for linking in ("", "n", "en", "s", "es")
            if (owner := word.removesuffix(end).removesuffix(linking)) in _OWNERS
        ),
        (word,),
    )
