"""Parses unambiguous written dates: 2026/11/25 14:03, 25 Nov 2026, 2026年11月25日, and those of mail and X."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero ene jän",
            "feb february februar février févr fév febrero",
            "mar march märz mär mars marzo",
            "apr april avril avr abril abr",
            "may mai mayo",
            "jun june juni juin junio",
            "jul july juli juillet juil julio",
            "aug august août aout agosto ago",
            "sep sept september septembre septiembre",
            "oct october oktober okt octobre octubre",
            "nov november novembre noviembre",
            "dec december dezember dez décembre déc diciembre dic",
        ),
        1,
    )
    for name in names.split()
}
# Abbreviations with one meaning. CST is also China's, IST also Israel's and Ireland's, BST also Bangladesh's.
_ABBREVIATIONS = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3,
    "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9,
    "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_WEEKDAY = r"(?:[^\W\d]{2,10}\.?,? ?)??"
_WEEKDAY_ZH = r"(?: ?\(?(?:星期|周|週)[一二三四五六日天]\)?)?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<y>\d{4})"
_MERIDIEM = r"(?P<before>上午|下午|晚上|凌晨|中午)? ?"
_CLOCK = (
    _MERIDIEM + r"(?P<h>\d{1,2})(?::(?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<frac>\d{1,9}))?)?"
    r"|[时時点點](?P<min_zh>\d{1,2})分(?:(?P<s_zh>\d{1,2})秒)?)(?: ?(?P<after>[ap]\.?m\b\.?))?"
)
_ZONE = (
    r"(?: ?(?P<zone>(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?(?= [a-z]{2,5}$| ?[\[(]| ?\d{4}$|$)"
    r"|[a-z]{1,5}(?![a-z/_])|[a-z]+(?:/[a-z0-9_+-]+){1,2})"
    r"(?: ?[\[(][^\])]{1,40}[\])]|(?<=\d) [a-z]{2,5})?)?"
)
_TIME = rf"(?:(?:,? ?(?:at|um|à|a las)? ?|t){_CLOCK}{_ZONE})?"
_FORMS = [
    re.compile(form)
    for form in (
        rf"{_YEAR}(?P<sep>[-/.])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}}){_TIME}",
        rf"{_YEAR} ?年 ?(?P<m>\d{{1,2}}) ?月 ?(?P<d>\d{{1,2}}) ?[日号號]?{_WEEKDAY_ZH}{_TIME}",
        rf"{_WEEKDAY}{_DAY}[ /-]?(?:de )?{_MONTH}[ ,/-]{{0,2}}(?:de )?(?P<y>\d{{4}}|\d{{2}}){_TIME}",
        rf"{_WEEKDAY}{_MONTH} ?{_DAY},? ?{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH} ?{_DAY} {_CLOCK}{_ZONE} {_YEAR}",
        rf"(?P<one>\d{{1,2}})(?P<sep>[-/.])(?P<two>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}){_TIME}",
    )
]
_SHORT_YEAR = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?")
_AFTERNOON = ("下午", "晚上")


class Ambiguous(Exception):  # noqa: N818 - not a failure of the program, but a fact about a text
    """A date has several meanings, such as 03/04/2026; the message continues a sentence that begins with the value."""


def parse_date_form(text: str, zone: tzinfo) -> datetime:
    """Parse a written date; the result is aware (has a time zone) if the text names a zone or an offset.

    `text` must have single spaces and composed characters. An abbreviation with several meanings, such as CST, is
    accepted if `zone` uses it. Raises Ambiguous for a date with several meanings, ValueError for any other text.
    """
    lower = text.lower()
    for form in _FORMS:
        if match := form.fullmatch(lower):
            return _moment(match, zone)
    if match := _SHORT_YEAR.match(lower):
        sep = match[2]
        raise Ambiguous(
            "has several readings (day, month and a year of two digits); send RFC 3339, or name the form: "
            f"--time-format '%d{sep}%m{sep}%y' or '%m{sep}%d{sep}%y' or '%y{sep}%m{sep}%d'"
        )
    raise ValueError(text)


def _moment(match: re.Match[str], zone: tzinfo) -> datetime:
    found = match.groupdict()
    year = int(found["y"])
    if year < 100:
        year += 2000
    if "one" in found:
        month, day = _month_and_day(int(found["one"]), int(found["two"]), found["sep"])
    else:
        month = _MONTHS[found["month"]] if "month" in found else int(found["m"])
        day = int(found["d"])
    hour, minute, second = (
        _hour(found),
        int(found["min"] or found["min_zh"] or 0),
        int(found["s"] or found["s_zh"] or 0),
    )
    if days := hour == 24 and minute == second == 0:
        hour = 0
    micro = int((found["frac"] or "")[:6].ljust(6, "0"))
    local = datetime(year, month, day, hour, minute, second, micro) + timedelta(days=days)  # noqa: DTZ001 - set below
    return local.replace(tzinfo=_zone(found["zone"], local, zone)) if found["zone"] else local


def _month_and_day(one: int, two: int, sep: str) -> tuple[int, int]:
    if one == two or two > 12 >= one:
        return one, two
    if one > 12 >= two:
        return two, one
    if max(one, two) > 12:
        raise ValueError
    raise Ambiguous(
        f"can be {one} {_NAMES[two]} or {two} {_NAMES[one]}; send RFC 3339, or name the form: "
        f"--time-format '%d{sep}%m{sep}%Y' or '%m{sep}%d{sep}%Y'"
    )


_NAMES = ["", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December"]  # fmt: skip


def _hour(found: dict[str, str | None]) -> int:
    hour = int(found["h"] or 0)
    before, after = found["before"], (found["after"] or "")[:1]
    if after and not 1 <= hour <= 12:
        raise ValueError
    if after == "a" or before in {"上午", "凌晨"}:
        return 0 if hour == 12 else hour
    if after == "p" or before in _AFTERNOON:
        return hour + 12 if hour < 12 else hour
    return hour


def _zone(name: str, local: datetime, zone: tzinfo) -> tzinfo:
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-offset if match[1] == "-" else offset)
    if "/" in name:
        try:
            return ZoneInfo("/".join(_titled(part) for part in name.split("/")))
        except (KeyError, OSError):
            raise ValueError(name) from None
    if (hours := _ABBREVIATIONS.get(name)) is not None:
        return UTC if hours == 0 else timezone(timedelta(hours=hours))
    if (zone.tzname(local) or "").lower() == name:
        return zone
    raise Ambiguous(f"ends in {name.upper()!r}, which is not one time zone; write the offset, or use --time-zone")


def _titled(part: str) -> str:
    """Write a part of a time zone's name with its capitals: `new_york` becomes `New_York`."""
    return "_".join(word[:1].upper() + word[1:] for word in part.split("_"))
