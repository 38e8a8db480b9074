"""Finds bank account numbers and bank codes within a few words of the word that names them, and Chinese bank cards."""

import re

from triage.redaction.recognizers.common import Found, Signs, cue_before, cued, merged, scan
from triage.redaction.recognizers.near import is_amount, is_number, near, stands_near, with_siblings

# Parts of the words in cues.yaml: a text without any of them, in lower case, is not searched.
_SIGNS = Signs(
    "acc", "acount", "a/c", "s/c", "sc:", "an:", "rout", "rtn", "sort", "aba", "bsb", "transit",
    "blz", "konto", "bank", "ifsc", "swift",
    "bic", "nuban", "clabe", "cuenta", "compte", "credit", "wire", "eft", "branch", "checking",
    "saving", "fps", "upi", "pix",
    "payid", "zelle", "b/a", "chase", "wells", "barclays", "hsbc", "lloyds", "natwest",
    "nationwide", "monzo", "revolut", "deposit",
    "roll n", "standing", "恒生", "中银", "渣打", "国泰", "中信", "玉山", "台新", "富邦", "星展", "汇丰", "邮局",
    "iban", "户", "账", "帐", "存折", "卡", "转", "汇", "打", "退", "入", "行", "联行", "局号", "邮储",
)  # fmt: skip
_LAST = r"(?![A-Za-z0-9]|[\-.][0-9])"
_ACCOUNT = re.compile(rf"(?:(?<![A-Za-z0-9./#])|(?<=acct))(?:\([0-9]{{3}}\) ?)?[0-9](?:[ \-]?[0-9]){{6,21}}{_LAST}")
_CODE = re.compile(r"(?<![A-Za-z0-9./#])[0-9](?:[ \-]?[0-9]){3,13}(?![A-Za-z0-9])")
_LETTERED = re.compile(r"(?<![A-Za-z0-9])(?=(?:[A-Z]*[0-9]){6})[A-Z0-9]{8,24}(?![A-Za-z0-9])")
_RIGHT_AFTER = cue_before(
    "account_any", r" ?(?:numbers?|nos?|num|nr|n°|№)(?![a-z])| (?:is|was)(?![a-z])|号码?|是|为|系|[ .:：#\-=(（,，|\n]"
)
_CODE_RIGHT_AFTER = cue_before(
    "bank_code", r" ?(?:numbers?|nos?|num|nr|codes?)(?![a-z])| (?:is|was)(?![a-z])|号码?|是|为|系|[ .:：#\-=(（\n]"
)
_NEAR = near("account_near")
# British pairs by their form; a date has no two such groups and eight digits after it.
_PAIR = re.compile(
    r"(?<![0-9])(?<![0-9][\-/])(?:[0-9]{2}-[0-9]{2}-[0-9]{2}[ ,/]{1,3}(?!20[0-9]{6})[0-9]{8}"
    r"|(?!20[0-9]{6})[0-9]{8}[ ,/]{1,3}(?:(?i:at|with) )?"
    r"(?i:sort(?: code)? )?[0-9]{2}-[0-9]{2}-[0-9]{2})(?![0-9]|[\-/][0-9])"
)
# After the word, a mistyped one has no right check digits.
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ \-]?[A-Za-z0-9]{2,4}(?![a-z])){3,8}(?![A-Za-z0-9])")
_IBAN_CUE = re.compile(r"(?i:iban(?: (?:no|number))?(?: is|是|为|系|[ .:：#\-])*)$")
# Six digits are an account's only where a sign says that a number follows.
_SHORT = re.compile(r"(?<![A-Za-z0-9])[0-9]{6}(?![A-Za-z0-9]|[.\-/][0-9])")
_NUMBER_SIGN = re.compile(r"(?i:(?<![a-z])(?:account|acct|acc|a/c)(?: ?(?:number|no|num)\.?(?: is)? ?:? ?| ?[:#] ?))$")
_SIBLING = re.compile(r"(?<![A-Za-z0-9])[0-9](?:[ \-]?[0-9]){5,21}(?![A-Za-z0-9])")
# Codes of branches in India; sort codes and routing numbers are found by the words before them.
_IFSC = re.compile(r"(?<![A-Za-z0-9])[A-Z]{4}0[A-Z0-9]{6}(?![A-Za-z0-9])")
_IFSC_CUE = re.compile(r"(?i:(?<![a-z])ifsc(?: code)?(?: is|[ .:#\-])*)$")
# Cards of UnionPay begin with 62; a bank or a payment is named before or after them, a mistyped one has no checksum.
_UNIONPAY = re.compile(
    r"(?<![A-Za-z0-9./#])(?<![0-9][ \-])62[0-9]{2}(?:[ \-]?[0-9]{4}){3}(?:[ \-]?[0-9]{1,3})?(?![A-Za-z0-9]|[.\-][0-9])"
)
_BANK_BEFORE = re.compile(
    r"(?:[卡行户账帐款汇转退打存入现]|邮储|农商|信用社)[^0-9。！？\n]{0,16}[0-9]?[^0-9。！？\n]{0,8}$"
)
_BANK_AFTER = re.compile(r"[^0-9。！？\n]{0,6}(?:银行|卡|信用社|账|帐|户)")


def find_bank_details(text: str) -> Found:
    """Find numbers of accounts, and codes of banks and branches, near the word that names them."""
    if not _SIGNS.any_in(text.lower()):
        return []
    found = [match.span() for match in _IFSC.finditer(text) if cued(text, match.start(), _IFSC_CUE)]
    found += [match.span() for match in _PAIR.finditer(text)]
    found += [match.span() for match in _IBAN.finditer(text) if cued(text, match.start(), _IBAN_CUE)]
    numbers = scan(_ACCOUNT, text, _is_account)
    numbers += scan(_SHORT, text, lambda match: cued(text, match.start(), _NUMBER_SIGN))
    codes = scan(_CODE, text, lambda match: cued(text, match.start(), _CODE_RIGHT_AFTER) and not is_amount(match))
    found += with_siblings(text, merged(numbers), _SIBLING, is_number) + codes
    found += scan(_LETTERED, text, lambda match: cued(text, match.start(), _RIGHT_AFTER))
    return merged(found)


def _is_account(match: re.Match[str]) -> bool:
    if cued(match.string, match.start(), _RIGHT_AFTER):
        return not is_amount(match)
    return stands_near(match, _NEAR)


def find_bank_card(text: str) -> Found:
    """Find UnionPay cards by their first digits and a nearby word for a bank or a payment."""
    return scan(_UNIONPAY, text, _is_unionpay) if "62" in text else []


def _is_unionpay(match: re.Match[str]) -> bool:
    text, start = match.string, match.start()
    return is_number(match) and (
        _BANK_BEFORE.search(text[max(0, start - 28) : start]) is not None
        or _BANK_AFTER.match(text, match.end()) is not None
    )
