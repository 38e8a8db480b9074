"""Tells from one pass over a text which recognizers can find anything in it; the others need not run.

A sign is a part of every text in which a recognizer finds something. Signs may be in a text for other reasons: then the
recognizer runs and finds nothing.
"""

import re

from triage.keywords import KeywordGroups, caseless

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
_GROUPS = KeywordGroups(
    {"tracking_id": _PARCELS, "order_id": ("ord", "订单", "单"), "date": _MONTHS, "money": _CURRENCIES}
)
_URL_SIGN = re.compile(r"://|[wW]\.|\.[A-Za-z]{2,6}[:/]")
_NUMERIC_DATE = re.compile(r"[0-9][/.\-][0-9]")


def signs_in(text: str) -> frozenset[str]:
    """Those of the kinds tracking_id, order_id, date and money that may be in a normalized text; the others aren't.

    Masking parts of the text later can only remove kinds.
    """
    signs = _GROUPS.find(caseless(text))
    return signs | {"date"} if "date" not in signs and _NUMERIC_DATE.search(text) else signs


def may_hold_url(text: str) -> bool:
    if ":" in text or "/" in text or "w." in text or "W." in text:
        return _URL_SIGN.search(text) is not None
    return False
