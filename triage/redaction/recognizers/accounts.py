"""Finds payment cards, IBANs and national identity numbers."""

import re
from collections.abc import Callable, Iterator
from functools import cache

from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.us import ssn

from triage.keywords import KeywordGroups, caseless
from triage.literals import required_literals
from triage.redaction.recognizers.common import MASK, Found, cue_before, cue_words, cued, mask, merged, scan

_RUN = re.compile(r"(?<![0-9])[0-9]++(?:[ .\-/·•・_~*\n\t]{1,3}[0-9]++)*+")
_GROUP = re.compile(r"[0-9]+")
# Whatever separates the groups that are printed on cards: 4-4-4-4 and 4-6-5 digits.
_GAP = rf"[^0-9A-Za-z\u4e00-\u9fff{MASK}]{{1,3}}"
_PRINTED_CARD = re.compile(
    rf"(?<![0-9])(?<![0-9][.,])(?:[3-6][0-9]{{3}}(?:{_GAP}[0-9]{{4}}){{3}}(?:{_GAP}[0-9]{{1,3}})?"
    rf"|3[47][0-9]{{2}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{5}})"
    r"(?![0-9]|[.,][0-9])"
)
_CARD_CUE = re.compile(
    r"(?i:(?:(?:credit|debit|bank|gift|visa|master ?card|amex)? ?card(?: (?:number|no|num|nr))?|"
    r"卡号|银行卡|信用卡|储蓄卡)"
    r"(?: is|是|为|[ .:#\-]|号码?)*)$"
)

# A bar code has thirteen digits, and one in ten a card's checksum.
_BAR_CODE_CUE = re.compile(
    r"(?i:(?:bar ?code|(?<![a-z])(?:ean|gtin|upc|isbn)|条形?码|书号|货号|商品编?码)"
    r"(?:-?13| (?:number|no|is)|号|是|[ .:#\-])*)$"
)


def find_card(text: str) -> Found:
    """Find whole digit groups with a payment card's length, first digit and checksum; overlapping finds are merged.

    In "3456 4111 1111 1111 1111", both the first and the last sixteen digits may have a valid checksum by chance.
    """
    found: Found = scan(_PRINTED_CARD, text, _is_printed_card)
    text = mask(text, found) if found else text
    return found + _cards_of_runs(text)


def _is_printed_card(match: re.Match[str]) -> bool:
    return luhn.checksum(re.sub(r"[^0-9]", "", match[0])) == 0 or cued(match.string, match.start(), _CARD_CUE)


def _cards_of_runs(text: str) -> Found:
    found: Found = []
    for run in _RUN.finditer(text):
        if run.end() - run.start() < 13:
            continue
        groups = [(run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])]
        for first, (start, _) in enumerate(groups):
            end = _card_end(text, groups, first)
            if end and found and start < found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            elif end:
                found.append((start, end))
    return found


def _card_end(text: str, groups: list[tuple[int, int]], first: int) -> int:
    start = groups[first][0]
    leading = text[start]
    known = leading in "23456" or text.startswith("9558", start)
    if not known and leading not in "01789":
        return 0
    # A decimal fraction such as 0.4111111111111111 is not a card.
    if text[max(0, start - 2) : start] == "0." or cued(text, start, _BAR_CODE_CUE):
        return 0
    windows = list(_windows(text, groups, first))
    if known:
        for digits, end in reversed(windows):
            if luhn.checksum(digits) == 0:
                return end
    # A mistyped number has a wrong checksum; after "card number" it is redacted nevertheless.
    return windows[-1][1] if windows and cued(text, start, _CARD_CUE) else 0


def _windows(text: str, groups: list[tuple[int, int]], first: int) -> Iterator[tuple[str, int]]:
    """Yield digits and end of every 13 to 19 digits from a group on: up to seven groups, or single digits."""
    single_digits = groups[first][1] == groups[first][0] + 1
    digits = ""
    for group_start, group_end in groups[first : first + (16 if single_digits else 7)]:
        digits += text[group_start:group_end]
        if len(digits) > 19:
            break
        if len(digits) >= (15 if single_digits else 13):
            yield digits, group_end


_IBAN_SEPARATORS = " ./·_|:,-"
_IBAN_HEAD = re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}(?=[{_IBAN_SEPARATORS}]{{0,3}}[A-Za-z0-9])")
_IBAN_BODY = re.compile(rf"(?:[{_IBAN_SEPARATORS}]{{0,3}}[A-Za-z0-9]){{11,30}}")


_ACCOUNT_CUE = cue_before("account", r"号码?| ?(?:number|no|num|nr)| (?:is|was)|是|为|系|[ .:：#\-]")
# Parts of the words for accounts and payments: a text without any of them is not searched.
_ACCOUNT_SIGNS = (
    "acc", "a/c", "routing", "sort", "aba", "bsb", "clabe", "konto", "bank", "cuenta", "compte",
    "rekening", "debit", "wire", "bacs", "transfer", "refund", "pay", "paid", "户", "账", "帐", "存折", "卡号",
    "转", "汇", "打款", "入数", "存入", "过数",
)  # fmt: skip
_SORT_CODE_CUE = re.compile(r"(?i:(?<![a-z])(?:sort ?code|bsb)(?: ?(?:number|no))?(?: is| was|[ .:#\-])*)$")
_SORT_CODE = re.compile(r"(?<![0-9])(?:[0-9]{2}[ \-]?[0-9]{2}[ \-]?[0-9]{2}|[0-9]{3}[ \-][0-9]{3})(?![0-9])")
# British sort code and account number, in a sentence about a payment.
_BRITISH = re.compile(
    r"(?<![0-9])(?<![0-9][ \-])[0-9]{2}([ \-])[0-9]{2}\1[0-9]{2}[ ,/:;]{1,3}(?:(?i:account|acct"
    r"|a/c)[ .:]{0,2})?[0-9]{8}(?![0-9])"
)
_PAYMENT = re.compile(r"(?i:\b(?:bacs|bank|account|transfer|refund|pay|paid|payment|sort)\b)")
_ACCOUNT = re.compile(r"(?<![A-Za-z0-9])[0-9](?:[ \-]?[0-9]){6,19}(?![A-Za-z0-9])")


def find_account(text: str) -> Found:
    """Find IBANs, and numbers directly after a word for a bank account."""
    found = find_iban(text)
    lowered = text.lower()
    if not any(sign in lowered for sign in _ACCOUNT_SIGNS):
        return found
    for pattern, accept in (
        (_BRITISH, lambda match: bool(_PAYMENT.search(text, max(0, match.start() - 40), match.start()))),
        (_ACCOUNT, lambda match: cued(text, match.start(), _ACCOUNT_CUE)),
    ):
        found += scan(pattern, text, accept)
    return merged(found)


def find_sort_code(text: str) -> Found:
    """Find sort codes, the six digits of a British or Australian bank, after a word that names them."""
    return scan(_SORT_CODE, text, lambda match: cued(text, match.start(), _SORT_CODE_CUE))


def find_iban(text: str) -> Found:
    found: Found = []
    position = 0
    while (head := _IBAN_HEAD.search(text, position)) is not None:
        position = head.start() + 1
        length = _iban_length(head[0][:2].upper())
        body = _IBAN_BODY.match(text, head.end()) if length else None
        if body is None:
            continue
        end = _after(text, head.start(), length)
        if end and iban.is_valid(re.sub(r"[^A-Za-z0-9]", "", text[head.start() : end]), check_country=False):
            found.append((head.start(), end))
            position = end
    return found


@cache
def _iban_length(country: str) -> int:
    """Length of an IBAN of this country; 0 if it has no IBANs."""
    properties = dict(iban._ibandb.info(country + "00")[0][1] or {})  # noqa: SLF001 - the table has no public name
    return 4 + sum(int(count) for count in re.findall(r"([0-9]+)!", properties["bban"])) if "bban" in properties else 0


def _after(text: str, start: int, length: int) -> int:
    """End of `length` letters and digits from `start` on, not counting separators; 0 if there are fewer."""
    seen = 0
    for position in range(start, min(len(text), start + 3 * length)):
        if text[position].isascii() and text[position].isalnum():
            seen += 1
            if seen == length:
                return position + 1
        elif text[position] not in _IBAN_SEPARATORS:
            return 0
    return 0


_ANY_GAP = rf"[^0-9A-Za-z\u4e00-\u9fff{MASK}]{{0,3}}"
_RESIDENT = re.compile(
    rf"(?<![0-9])[1-9][0-9]{{2}}{_ANY_GAP}[0-9]{{3}}{_ANY_GAP}(?:18|19|20)[0-9]{{2}}{_ANY_GAP}"
    rf"(?:0[1-9]|1[0-2]){_ANY_GAP}"
    rf"(?:0[1-9]|[12][0-9]|3[01]){_ANY_GAP}[0-9]{{3}}{_ANY_GAP}[0-9Xx](?![0-9])"
)
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(first, last + 1)
)
_ID_CUE = cue_before("national_id", r"字?号码?| (?:number|no|num)| is|是|为|系|[ .:：#\-]")
_AFTER_CUE = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,2}|[A-Z]{1,2}[ \-])?[0-9](?:(?: [\-/·•_|:] |[ .\-/·•_"
    r"|:,])?[0-9]){5,17}[A-Za-z]?(?: ?\([0-9A]\))?"
    r"(?![A-Za-z0-9])"
)
# Of letters and digits, as British driving licences and many passports.
_LETTERED_AFTER_CUE = re.compile(
    r"(?<![A-Za-z0-9])(?=(?:[A-Z \-]{0,6}[0-9]){5})[A-Z0-9]{2,16}(?:[ \-]"
    r"(?=[A-Z0-9]{0,8}[0-9])[A-Z0-9]{2,9}){0,4}(?![A-Za-z0-9])"
)
_NINO_AFTER_CUE = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[ \-]?[0-9]{2}[ \-]?[0-9]{2}[ \-]?[0-9]{2}[ \-]?[A-Da-d](?![A-Za-z0-9])"
)
_ID_WORDS = re.compile(cue_words("national_id"))
_NINO = re.compile(
    r"(?<![A-Za-z0-9])(?![DFIQUV])[A-Z](?![DFIOQUV])[A-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?![A-Za-z0-9])"
)
_HKID = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,2}[0-9]{6} ?\([0-9A]\)")
_TAIWAN = re.compile(r"(?<![A-Za-z0-9])[A-Z][ \-]?[1289][0-9]{8}(?![A-Za-z0-9])")
_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_PLATE_CN = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• \-]?(?=[A-Z0-9]{0,5}[0-9])"
    r"[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])"
)
_PLATE = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Z0-9 \-]{0,9}[0-9])[A-Z0-9]{1,4}[ \-]?[A-Z0-9]{1,4}(?:[ \-]?[A-Z0-9]{1,4}){0,2}"
    r"(?![A-Za-z0-9])"
)
_CAPITAL = re.compile("[A-Z]")
# Parts of the words for plates and vehicles: a text without any of them is not searched.
_PLATE_SIGNS = (
    "plate", "reg", "tag", "kennz", "plaque", "immatric", "matríc", "targa", "car", "van", "lorry",
    "truck", "vehicle", "bike", "taxi", "cab", "uber", "driver", "courier", "park", "garage", "mot",
    "tow", "hit", "车", "牌", "照", "摩托", "小巴", "的士", "小黄", "司机", "van",
)  # fmt: skip
_PLATE_CUE = cue_before("plate", r"号码?| (?:number|no|num)| is| was|是|为|系|[ .:：#(\-]")
# Forms of many countries; after words that are also used of other things.
_PLATE_FORM = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{2} ?[A-Z]{3}|[0-9][A-Z]{3} ?[0-9]{3}|[A-Z]{2,3}[ \-]?[0-9]{3,4}(?: [A-Z]{2}"
    r"(?![A-Za-z]))?|[0-9]{3,4}[ \-]?[A-Z]{2,3})(?![A-Za-z0-9])"
)
_PLATE_WEAK_CUE = cue_before("plate_weak", r" (?:number|no|mark)| is| was|[ .:：#(\-]")
_PLATE_OF_VEHICLE = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{3}-?[0-9]{4}|[A-Z]{2,3}-[0-9]{3,4}|[A-Z]{2} ?[0-9]{3,4}"
    r"|[0-9]{3,4}-[A-Z]{2,3})(?![A-Za-z0-9\-])"
)
_VEHICLE_CUE = cue_before("vehicle", r"号|牌|系|是|[ :：(]")
_PLATE_UK = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2} [A-Z]{3}(?![A-Za-z0-9])")
_VEHICLE_WORDS = re.compile(cue_words("vehicle_words"))
_DASHED = re.compile(r"(?<![0-9])(?<![0-9]-)[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9]|-[0-9])")
# The groups that the IRS gives out; python-stdnum's table ends before 50 to 65 were added.
_ITIN = re.compile(r"9[0-9]{2}-(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-2]|9[4-9])-[0-9]{4}")
_CPF = re.compile(r"(?<![0-9])[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![0-9])")
_FISCALE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z](?![A-Za-z0-9])")
_AADHAAR = re.compile(r"(?<![0-9])(?<![0-9][ \-])[2-9][0-9]{3}([ \-])[0-9]{4}\1[0-9]{4}(?![0-9]|[ \-][0-9])")


def find_national_id(text: str) -> Found:
    found: Found = []
    shapes: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
        (_RESIDENT, _is_resident),
        (_DASHED, lambda match: bool(ssn.is_valid(match[0]) or _ITIN.fullmatch(match[0]))),
        (_CPF, lambda match: bool(cpf.is_valid(match[0]))),
        (_FISCALE, lambda match: bool(codicefiscale.is_valid(match[0]))),
        (_AADHAAR, lambda match: bool(aadhaar.is_valid(re.sub(r"[ \-]", "", match[0])))),
    )
    for pattern, accept in shapes:
        found += scan(pattern, text, accept)
    if _ID_WORDS.search(text):
        for pattern in (_LETTERED_AFTER_CUE, _AFTER_CUE):
            found += scan(pattern, text, lambda match: cued(text, match.start(), _ID_CUE))
    return merged(found)


def find_lettered_id(text: str) -> Found:
    """Find British, Taiwanese and Hong Kong identity numbers, which contain letters and fewer digits than others."""
    found = scan(_NINO, text, lambda match: match[0][:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
    found += [match.span() for match in _NINO_AFTER_CUE.finditer(text) if cued(text, match.start(), _ID_CUE)]
    found += scan(_TAIWAN, text, _is_taiwan)
    return found + scan(_HKID, text, _is_hong_kong)


_CUED_PLATES = (
    (_PLATE, re.compile(cue_words("plate")), _PLATE_CUE),
    (_PLATE_FORM, re.compile(cue_words("plate_weak")), _PLATE_WEAK_CUE),
    (_PLATE_OF_VEHICLE, re.compile(cue_words("vehicle")), _VEHICLE_CUE),
)
# Of the words, the parts that each of them has: by the pattern, for a search in one pass.
_PLATE_WORDS = KeywordGroups(
    {words.pattern: required_literals(words.pattern) or () for _, words, _ in _CUED_PLATES}
    | {_VEHICLE_WORDS.pattern: required_literals(_VEHICLE_WORDS.pattern) or ()}
)


def find_plate(text: str) -> Found:
    """Find vehicle registration plates: Chinese ones by their format, others after a word that names them."""
    if not _CAPITAL.search(text):
        return []
    found = [] if text.isascii() else [match.span() for match in _PLATE_CN.finditer(text)]
    lowered = text.lower()
    if not any(sign in lowered for sign in _PLATE_SIGNS):
        return found
    likely = _PLATE_WORDS.find(caseless(text))
    for pattern, words, cue in _CUED_PLATES:
        if words.pattern in likely and words.search(text):
            found += [match.span() for match in pattern.finditer(text) if cued(text, match.start(), cue)]
    if _VEHICLE_WORDS.pattern in likely and _VEHICLE_WORDS.search(text):
        found += [match.span() for match in _PLATE_UK.finditer(text)]
    return found


def _is_resident(match: re.Match[str]) -> bool:
    # Not `ric.is_valid`: its table of counties is some years old and lacks newer ones.
    number = re.sub(r"[^0-9Xx]", "", match[0]).upper()
    # A province and an adult's birthday suffice, in case a digit is mistyped; order numbers have recent dates.
    # Those of permanent residents from abroad begin with 9: there the checksum has to be right.
    plausible = number[:2] in _PROVINCES and 1930 <= int(number[6:10]) <= 2012
    return plausible or bool(number[-1] == ric.calc_check_digit(number))


def _is_hong_kong(match: re.Match[str]) -> bool:
    """Verify the check digit of a Hong Kong identity card: weights 9 to 2, a missing first letter is 36, modulo 11."""
    letters, digits = match[0].rstrip(")").replace(" ", "").split("(")[0], match[0][-2]
    values = [36] * (8 - len(letters)) + [int(char, 36) for char in letters]
    total = sum(weight * value for weight, value in zip(range(9, 1, -1), values, strict=True))
    return digits == "0123456789A"[-total % 11]


def _is_taiwan(match: re.Match[str]) -> bool:
    """Verify the check digit of a Taiwanese identity or resident number.

    The letter is a number from 10 to 35. Its two digits and the nine that follow, with weights 1, 9 to 1 and 1, add up
    to a multiple of ten.
    """
    number = re.sub(r"[ \-]", "", match[0])
    tens, ones = divmod(_TAIWAN_LETTERS.index(number[0]) + 10, 10)
    values = [tens, ones, *map(int, number[1:])]
    total: int = sum(weight * value for weight, value in zip((1, *range(9, 0, -1), 1), values, strict=True))
    return total % 10 == 0
