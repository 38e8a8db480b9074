"""Tells from one pass over a text which recognizers can find anything in it; the others need not run.

A sign is a part of every text in which a recognizer finds something. Signs may be in a text for other reasons: then the
recognizer runs and finds nothing. What is masked later removes signs, and adds none but the mask itself.
"""

import re

from triage.keywords import KeywordGroups, Keywords, caseless
from triage.redaction.recognizers import contact, orders, secrets

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CURRENCIES = (
    "$", "€", "£", "¥", "₹", "₩", "usd", "eur", "gbp", "cny", "rmb", "jpy", "hkd", "twd", "aud", "cad", "nzd", "sgd",
    "inr", "krw", "chf", "sek", "nok", "dkk", "pln", "brl", "mxn", "zar", "rs", "dollar", "bucks", "pounds sterling",
    "quid", "cent", "pence", "rupees", "yuan", "kuai", "元", "圆", "块", "蚊", "人民币", "美金", "英镑", "港币",
    "港纸", "台币", "葡币", "大洋",
)  # fmt: skip
_PARCELS = (
    "tracking", "waybill", "awb", "consignment", "快递", "运", "物流", "货运", "包裹", "邮件", "顺丰", "圆通", "中通",
    "韵达", "申通",
)  # fmt: skip
_WORDS = KeywordGroups(
    {
        "email": contact.EMAIL_SIGNS,
        "handle": contact.MESSENGER_SIGNS,
        "short handle": contact.SHORT_MESSENGERS,
        "secret": secrets.SIGNS,
        "secret of letters": secrets.SIGNS_OF_LETTERS,
    }
)
_LISTED = [
    *((word, "tracking_id") for word in _PARCELS),
    *((word, "order_id") for word in ("ord", "订单", "单")),
    *((word, "date") for word in _MONTHS),
    *((word, "money") for word in _CURRENCIES),
]
_NEAR_DIGITS = Keywords(word for word, _ in _LISTED)
_KINDS = [kind for _, kind in _LISTED]
# Of a date and of an amount, the farthest that a digit can be from the month (`3rd of September`, `September the 3`)
# and from the currency (`5 thousand 多 dollars`).
_BEFORE_MONTH, _AFTER_MONTH = 7, 13
_BEFORE_CURRENCY, _AFTER_CURRENCY = 14, 3
_DIGIT = re.compile("[0-9]")
_URL_SIGN = re.compile(r"://|[wW]\.|\.[A-Za-z]{2,6}[:/]")
_NUMERIC_DATE = re.compile(r"[0-9][/.\-][0-9]")


def words_in(text: str) -> frozenset[str]:
    """Kinds of which a normalized text has a sign: email, handle, short handle, secret and secret of letters.

    A short handle is the name of a network in two letters, which may be part of another word. A secret of letters is
    one that has no digit.
    """
    return _WORDS.find(caseless(text))


def signs_near_digits(text: str) -> frozenset[str]:
    """Kinds of which a normalized text has a sign: tracking_id, order_id, date (by its month), numeric date, money."""
    found = {"numeric date"} if _NUMERIC_DATE.search(text) else set()
    for index, start, end in _NEAR_DIGITS.occurrences(caseless(text)):
        kind = _KINDS[index]
        if kind not in found and _fits(kind, text, start, end):
            found.add(kind)
    return frozenset(found)


def _fits(kind: str, text: str, start: int, end: int) -> bool:
    """True if a number is where the kind has it, seen from its word at `start:end`."""
    if kind == "date":
        return _DIGIT.search(text, max(0, start - _BEFORE_MONTH), end + _AFTER_MONTH) is not None
    if kind == "money":
        return _DIGIT.search(text, max(0, start - _BEFORE_CURRENCY), end + _AFTER_CURRENCY) is not None
    return kind != "order_id" or orders.BEGINNING.match(text, end) is not None


def may_hold_url(text: str) -> bool:
    if ":" in text or "/" in text or "w." in text or "W." in text:
        return _URL_SIGN.search(text) is not None
    return False
