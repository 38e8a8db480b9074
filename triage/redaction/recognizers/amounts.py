"""Finds amounts of money and calendar dates."""

import re

from triage.redaction.recognizers.common import Found, mask, scan

_AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?|[0-9]{1,9}(?:[.,][0-9]{1,2})?)(?![0-9])"
_CODES = r"USD|EUR|GBP|CNY|RMB|JPY|HKD|TWD|AUD|CAD|NZD|SGD|INR|KRW|CHF|SEK|NOK|DKK|PLN|BRL|MXN|ZAR"
_SCALE = r"(?: ?(?:k|mn?|bn|million|billion|thousand)(?![A-Za-z])|[万千百亿])?"
_BEFORE = re.compile(
    rf"(?i:(?:(?:(?<![a-z])(?:us|hk|au|ca|nz|sg|nt|[acsr]))?\$|€|£|¥|₹|₩|(?<![a-z])(?:{_CODES}|rs\.?))"
    rf" ?{_AMOUNT}{_SCALE}元?)"
)
_AFTER = re.compile(
    rf"(?i:(?<![0-9.,]){_AMOUNT}(?: ?(?:k|mn?|bn|million|billion|thousand) ?(?![a-z]))?[万千百亿]?[多余几]? ?"
    rf"(?:(?:{_CODES}|dollars?|bucks|euros?|pounds sterling|quid|cents?|pence|rupees|yuan|kuai)(?![a-z])"
    r"|€|£|¥|\$(?![0-9])"
    r"|[元圆]|块钱?(?![电屏肉砖表饼布板玻巧豆蛋石])|蚊(?![子虫香帐])|人民币|美元|美金|欧元|英镑|港币"
    r"|港元|港纸|台币|新台币|葡币|日元|大洋))"
)
_CHINESE = re.compile(
    r"[一二两三四五六七八九十百千万亿][一二两三四五六七八九十百千万亿零]{0,12}[几多]?(?:[元圆]|块钱|蚊(?![子虫香帐]))"
)


def find_money(text: str) -> Found:
    found = [match.span() for match in _BEFORE.finditer(text)]
    rest = mask(text, found) if found else text
    return found + [match.span() for match in _AFTER.finditer(rest)]


def find_chinese_money(text: str) -> Found:
    return [match.span() for match in _CHINESE.finditer(text)]


_YEAR = r"(?:19|20)[0-9]{2}"
_MONTH_NUMBER = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_NUMERIC = re.compile(
    rf"(?<![0-9])(?<![0-9][/.\-])(?:{_YEAR}(?P<a>[\-/.]){_MONTH_NUMBER}(?P=a){_DAY}"
    rf"|{_DAY}(?P<b>[/.\-]){_DAY}(?P=b){_YEAR}|{_DAY}/{_DAY}/[0-9]{{2}})(?![0-9]|[/.\-][0-9])"
)
_NAMED = re.compile(
    rf"(?i:(?<![a-z])(?P<first>{_MONTH})\.? (?:the )?"
    rf"(?:{_DAY}(?P<nth>st|nd|rd|th)?(?![0-9.:%])(?:,? ?(?P<year>{_YEAR}))?|(?P<only>{_YEAR}))"
    rf"|(?<![0-9.:])(?:{_DAY})(?:st|nd|rd|th)?(?: of)? ?(?P<second>{_MONTH})\.?(?:,? (?P<last>{_YEAR}))?)(?![0-9])"
)
_CHINESE_DATE = re.compile(
    rf"(?<![0-9])(?:(?:{_YEAR}|[0-9]{{2}})年)?{_MONTH_NUMBER}月份?{_DAY}[日号]|(?<![0-9]){_YEAR}年{_MONTH_NUMBER}月"
    r"|[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号]"
)
_MODAL = frozenset({"may", "march", "mar"})


def find_date(text: str) -> Found:
    return find_numeric_date(text) + find_named_date(text)


def find_numeric_date(text: str) -> Found:
    """Find dates of digits alone: `2026-05-03`, `3/5/2026`."""
    return [match.span() for match in _NUMERIC.finditer(text)]


def find_named_date(text: str) -> Found:
    """Find dates with the English name of the month."""
    return scan(_NAMED, text, _is_date)


def find_chinese_date(text: str) -> Found:
    return [match.span() for match in _CHINESE_DATE.finditer(text)]


def _is_date(match: re.Match[str]) -> bool:
    """Accept lower-case may and march only with an ordinal or a year: not "you may 3 times", "5 may be late"."""
    month = match["first"] or match["second"]
    if month not in _MODAL:
        return True
    return bool(match["year"] or match["last"] or match["only"] or match["nth"])
