"""Finds phone numbers by format, and with the library `phonenumbers` where the format is ambiguous."""

import re

import phonenumbers

from triage.redaction.recognizers.common import Found, cue_before, cue_words, cued, mask, scan

_SEP = r"[ .\-]{0,3}"
_GAP = r"[ .\-]{1,3}"
_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|extension|转|分机|#)[ .:]{0,2}[0-9]{1,6}(?![0-9]))?"
_INTERNATIONAL = re.compile(
    r"(?:\((?=\+[0-9]{1,3}\)))?(?:\+|(?<![0-9])(?<![0-9][ .\-])00)[ (]?[1-9]"
    r"(?:(?:[ .\-()·•_/]{0,3}|\n)[0-9]){6,17}(?![0-9])"
)
_GROUP_END = re.compile(r"(?<=[0-9])(?![0-9])")
_TAIL = re.compile(_EXTENSION)
_MOBILE_CN = re.compile(
    rf"(?<![0-9])(?:\(?(?:\+|00)?86\)?{_SEP})?\(?(?P<number>1[3-9](?:[ .\-)]{{0,3}}[0-9]){{9}})(?![0-9])"
)
_AREA_CN = r"0(?:10|2[0-9]|[3-9][0-9]{2})"
_LANDLINE_CN = re.compile(
    rf"(?<![0-9])(?:(?:\({_AREA_CN}\){_SEP}|{_AREA_CN}{_GAP})[2-9][0-9]{{2,3}}[ \-]?[0-9]{{4}}"
    rf"|[48]00{_GAP}[0-9]{{3,4}}{_GAP}[0-9]{{3,4}})(?:-[0-9]{{1,5}})?(?![0-9]){_EXTENSION}"
)
_BARE_LANDLINE_CN = re.compile(r"(?<![0-9])0(?:(?:10|2[0-9])[2-9][0-9]{7}|[3-9][0-9]{2}[2-9][0-9]{6,7})(?![0-9])")
_NORTH_AMERICA = re.compile(
    rf"(?<![0-9])(?:1{_SEP})?(?:\([2-9][0-9]{{2}}\){_SEP}"
    rf"|[2-9][0-9]{{2}}{_GAP})[0-9]{{3}}{_GAP}?[0-9]{{4}}(?![0-9]){_EXTENSION}"
)
# National numbers of other regions, e.g. 020 7946 0958, 06 12 34 56 78: groups of two or more digits after a trunk 0.
_TRUNK = re.compile(
    rf"(?<![0-9])(?<![0-9][.\-])\(?0[1-9][0-9]{{0,4}}\)?(?:{_SEP}[0-9]{{2,8}}){{1,5}}(?![0-9]){_EXTENSION}"
)
_BARE = re.compile(r"(?<![0-9])(?<![0-9][.,\-/])[0-9]{9,12}(?![0-9]|[.,][0-9])")
# Right after a word for a phone, with any separators between the digits.
_ANY = re.compile(
    r"(?<![0-9])[(\[]?[0-9](?:(?:[ .\-()\[\]/·•・_,，、~*\n\r\t–—|=:：#\\]{0,3}|%20)[0-9]){6,14}"
    r"(?![0-9])"
    rf"{_EXTENSION}"
)
# Mobile numbers of Taiwan: others are not written so.
_MOBILE_TW = re.compile(r"(?<![0-9])(?<![0-9][.\-])09[0-9]{2}[ \-][0-9]{3}[ \-]?[0-9]{3}(?![0-9]|[ \-][0-9])")
# National numbers of many countries with their trunk 0, ten or eleven digits in all, whatever the region.
_LOCAL = re.compile(
    r"(?<![A-Za-z0-9#_$€£¥/.,\-])(?<![0-9][ \-])\(?0(?!0)(?:[1-9][0-9]{8,9}"
    r"|(?=[0-9 ()\-/.]{10,16}(?![0-9]))[1-9][0-9]{0,4}(?:\)? ?|[ \-/.])[0-9]{3,8}(?:[ \-][0-9]{3,6}){0,2})"
    rf"(?![A-Za-z0-9]|[.,:/\-][0-9]| [0-9]{{2}}){_EXTENSION}"
)
_LOCAL_LENGTH = (10, 11)
# Country codes without their sign: 886912345678, (852) 2345 6789, plus 44 7700 900123.
_UNSIGNED = re.compile(
    r"(?<![A-Za-z0-9#_$€£¥/.,\-])(?<![0-9][ \-])(?:(?i:plus) ?[1-9][0-9]{0,2}[ \-]?[0-9](?:[ \-]?[0-9]){6,11}"
    r"|\(?(?:86\)?[ \-](?:[2-9][0-9]{1,2}|10)[ \-]?[0-9]{4}[ \-]?[0-9]{4}|886\)?[ \-]?(?:9[0-9]{2}"
    r"|[2-8])[ \-]?[0-9]{3,4}[ \-]?[0-9]{3,4}"
    r"|(?:852|853)\)?[ \-][2-9][0-9]{3}[ \-]?[0-9]{4}))(?![A-Za-z0-9]|[.,\-][0-9])"
)
# Service numbers, free of charge or not: they belong to companies.
_SERVICE = re.compile(
    r"\(?(?:\+?1[ .\-]?)?\(?8(?:00|88|77|66|55|44|33)\)?[ .\-]|\(?(?:400"
    r"|800)[ \-]?[0-9]{3,4}[ \-]?[0-9]{3,4}$|\(?0?(?:800|808|809)[ \-]|"
    r"\(?0800[0-9]{6}|\(?1[389]00[ \-]|400[0-9]{7}$"
)

_PHONE_CUE = cue_before(
    "phone",
    r"号码?|是|为|系|嘅|的|(?:改|换|变更|更改|更新|填|写|留|登记|预留|绑定|打|拨)(?:成|为|了|的|到|错"
    r"|过)*|(?:打|拨)(?:不|唔)[通到]|没人接|冇人听"
    r"|[啦吧哦喔呀啊噢哈呢下嘞咯喇]|['’]s| (?:number|no|num|nr|es|est|ist|is|was|at|on|file|under|via|to|for"
    r"|al|au|sur|unter|bei"
    r"|still|again|please|now)|[ .:：#(\[|,，\-]",
)
_ITEM = cue_words("item")
_ID_CUE = re.compile(rf"(?i:{_ITEM}(?:编?号码?|是|为| (?:number|no|num|nr|id|code|is)|[ .:#\-])*)$")
# A Chinese mobile number has a distinctive format: only an explicit "order number" before it excludes it.
_ID_NUMBER_CUE = re.compile(rf"(?i:{_ITEM}(?:编?号码?| ?(?:number|no\.?|num|nr|id|code|#))(?:是|为| is|[ .:#\-])*)$")
_DATE_LIKE = re.compile(
    r"(?:19|20)[0-9]{2}[ .\-]?(?:0[1-9]|1[0-2])[ .\-]?(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:19|20)[0-9]{2}[ .\-]{1,3}(?:19|20)[0-9]{2}$"
)
# `I am at 203.0.113.201`: found by the recognizer of addresses.
_ADDRESS_LIKE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_UNIT = re.compile(
    r"(?i: ?(?:[mk]?g|[mc]?l|[mck]?m|[gmt]b|px|fps|hz|mah|inch(?:es)?|"
    r"oz|lbs?|k?ohms?|watts?|volts?|amps?|usd|dollars|times|points?|pts|views|followers|likes|steps"
    r"|plays|miles|units|元|块|克|毫|厘|分|次|人|步)(?![a-z]))"
)
# A series of numbers continues.
_GROUPS_OF_SERIES = 3
_MORE_GROUPS = re.compile(r"[\-/][0-9]{3}")
_NANP = frozenset(phonenumbers.region_codes_for_country_code(1))


class PhoneFinder:
    """Finds national phone numbers of `region` (ISO 3166 alpha-2), Chinese numbers and international numbers."""

    def __init__(self, region: str) -> None:
        self._region = region

    def __call__(self, text: str) -> Found:
        original = text
        found = _find_international(text)
        text = mask(text, found) if found else text
        for pattern, accept in (
            (_MOBILE_CN, _mobile_cn),
            (_MOBILE_TW, _not_an_id),
            (_NORTH_AMERICA, self._north_american),
            (_LANDLINE_CN, _landline_cn),
            (_TRUNK, self._national),
            (_BARE_LANDLINE_CN, _not_an_id),
            (_BARE, self._bare),
            (_LOCAL, _local),
            (_UNSIGNED, _not_an_id),
            (_ANY, _after_cue),
        ):
            spans = scan(pattern, text, accept)
            found += spans
            text = mask(text, spans) if spans else text
        return [span for span in found if not _SERVICE.match(original, *span)]

    def _north_american(self, match: re.Match[str]) -> bool:
        if _DATE_LIKE.match(match[0]) or (_MORE_GROUPS.match(match.string, match.end()) and not _phone_cued(match)):
            return False
        # 415-555-2671 and (415) 555-2671 are only phone numbers; spaces may separate any numbers.
        if re.search(r"[).\-]", match[0]) or _phone_cued(match):
            return True
        if _id_cued(match):
            return False
        if self._region not in _NANP or _UNIT.match(match.string, match.end()):
            return False
        return match[0].count(" ") >= 2 or _valid(_digits(match[0])[:11], self._region)

    def _national(self, match: re.Match[str]) -> bool:
        if _phone_cued(match):
            return len(_digits(match[0])) >= 7
        return not _DATE_LIKE.match(match[0]) and not _id_cued(match) and _valid(match[0], self._region)

    def _bare(self, match: re.Match[str]) -> bool:
        if _phone_cued(match):
            return True
        before = match.string[max(0, match.start() - 2) : match.start()]
        if before[-1:].isupper() or before[-1:] in set("$€£¥#_") or (before[-1:] == "-" and before[:1].isalnum()):
            return False
        return _not_an_id(match) and not _DATE_LIKE.match(match[0]) and _valid(match[0], self._region)


def _find_international(text: str) -> Found:
    """Find numbers after + or 00: the longest possible number that the following digit groups form."""
    found: Found = []
    position = 0
    while (match := _INTERNATIONAL.search(text, position)) is not None:
        position = match.start() + 1
        sign = match[0].lstrip("(")[:1] == "+"
        for end in reversed([group.start() for group in _GROUP_END.finditer(text, match.start(), match.end())]):
            digits = _digits(text[match.start() : end])[0 if sign else 2 :]
            if 8 <= len(digits) <= 15 and _possible("+" + digits):
                tail = _TAIL.match(text, end)
                position = tail.end() if tail else end
                found.append((match.start(), position))
                break
    return found


def _mobile_cn(match: re.Match[str]) -> bool:
    groups = re.findall(r"[0-9]+", match["number"])
    if len(groups) > 4 or (len(groups) > 1 and min(map(len, groups)) < 3):
        return False
    # Air waybills have three and eight digits.
    item = _ID_CUE if [len(group) for group in groups] == [3, 8] else _ID_NUMBER_CUE
    return _phone_cued(match) or not cued(match.string, match.start(), item)


def _landline_cn(match: re.Match[str]) -> bool:
    # 400-800-1600-3200 may also be a series of values.
    if _DATE_LIKE.match(match[0]) or _UNIT.match(match.string, match.end()):
        return False
    return match[0].count("-") < _GROUPS_OF_SERIES or not match.string.isascii() or _phone_cued(match)


def _not_an_id(match: re.Match[str]) -> bool:
    return _phone_cued(match) or not _id_cued(match)


def _local(match: re.Match[str]) -> bool:
    length = len(_digits(match[0]))
    return (
        _LOCAL_LENGTH[0] <= length <= _LOCAL_LENGTH[1]
        and _not_an_id(match)
        and not _UNIT.match(match.string, match.end())
    )


def _after_cue(match: re.Match[str]) -> bool:
    if _DATE_LIKE.match(match[0]) or _ADDRESS_LIKE.fullmatch(match[0]) or _UNIT.match(match.string, match.end()):
        return False
    return _phone_cued(match)


def _phone_cued(match: re.Match[str]) -> bool:
    return cued(match.string, match.start(), _PHONE_CUE)


def _id_cued(match: re.Match[str]) -> bool:
    return cued(match.string, match.start(), _ID_CUE)


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", re.split(r"[a-z转分#]", number, maxsplit=1)[0])


def _valid(number: str, region: str | None) -> bool:
    parsed = _parsed(number, region)
    return parsed is not None and bool(phonenumbers.is_valid_number(parsed))


def _possible(number: str) -> bool:
    parsed = _parsed(number, None)
    return parsed is not None and bool(phonenumbers.is_possible_number(parsed))


def _parsed(number: str, region: str | None) -> "phonenumbers.PhoneNumber | None":
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
