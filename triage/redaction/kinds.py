"""Registry of the entity kinds found by rules; tests compare it with docs/redaction.md and the recognizers."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from triage.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity that rules find, such as e-mail addresses.

    `label` is its label in records; `redacted` is true if it is redacted by default; `how` (recognition) and `why`
    (reason for the default) are texts of docs/redaction.md.
    """

    label: str
    redacted: bool
    example: str
    how: str
    why: str

    @property
    def placeholder(self) -> str:
        return f"[{self.label.upper()}]"


_ALL = (
    Kind(
        "email",
        True,
        "li.wei@example.com",
        "an @ between a local part and a dotted domain, any script; also `a (at) b.com`, `a at b "
        "dot com`, `a艾特b.com` "
        "and spaces around the @ of a well-known mail provider",
        "identifies a person",
    ),
    Kind(
        "phone",
        True,
        "138-1234-5678",
        "international numbers (+, 00), numbers of `redaction.region` and Chinese mobiles and landlines, checked by "
        "phonenumbers; mobiles of Taiwan in groups; any 7 to 15 digits right after a word such "
        "as phone, call me on, reach my "
        "husband at, 电话, 打给我, whatever separates them; ten or eleven digits with a leading 0 of any country; "
        "not service numbers of companies (400, 800, 0800, 1-800)",
        "identifies a person",
    ),
    Kind(
        "card",
        True,
        "4111 1111 1111 1111",
        "13 to 19 digits in groups, first digit of a payment card (2 to 6, or 9558), Luhn checksum; after `card` "
        "or 卡号 without checksum, since a mistyped number is still mostly correct; "
        "groups as printed on a card, whatever separates them",
        "gives access to an account",
    ),
    Kind(
        "iban",
        True,
        "GB82 WEST 1234 5698 7654 32",
        "length and structure of the country, ISO 7064 mod 97-10 checksum; also 7 to 20 digits right after account, "
        "routing number, 账号, 户口, or some words after it in the sentence; sort codes and other codes of branches; "
        "mistyped ones after `IBAN`",
        "gives access to an account",
    ),
    Kind(
        "national_id",
        True,
        "11010519491231002X",
        "Chinese resident identity number (date and checksum), US SSN and ITIN, UK National Insurance number, Hong "
        "Kong and Taiwanese identity cards, Brazilian CPF, Italian codice fiscale, Indian Aadhaar; passports, travel "
        "permits, driving licences, insurance and mistyped numbers after a word such as 身份证, "
        "通行证, SSN, passport, also some words after it; machine-readable lines of passports",
        "identifies a person permanently",
    ),
    Kind(
        "ip",
        True,
        "203.0.113.7",
        "IPv4 and IPv6 addresses; not after version, update to, Chrome, 版本 and the like, nor where all parts are "
        "below 100 and no word such as IP, server, from, 地址 is before them",
        "identifies a household online; triage does not need it",
    ),
    Kind(
        "handle",
        True,
        "@zhang_san",
        "@name, not inside an e-mail address; Chinese @微博名 that ends at a space, punctuation or the end; WeChat, "
        "QQ, Telegram, Instagram, 小红书 and other names after a word for them; the record's own "
        "`author_id` as a whole word, if it has at least "
        "five characters, including a digit or sign",
        "identifies a person online, like the author id, which is stored only as a hash; the brand is a separate field",
    ),
    Kind(
        "secret",
        True,
        "my PIN is 4821",
        "the value after password, PIN, CVV, verification code, OTP, API key, token, gift card "
        "code, door code, 密码, 验证码, "
        "安全码, 卡密 and the like, if it has a digit or a sign; also before them, as in `7731 as my "
        "PIN`; a word alone after `password:`",
        "opens an account or is money",
    ),
    Kind(
        "plate",
        True,
        "粤B12345",
        "Chinese number plates; others after number plate, registration, licence plate, 车牌; "
        "British ones in a sentence with a vehicle",
        "identifies a household",
    ),
    Kind(
        "url",
        False,
        "https://shop.example/p/1",
        "http, https, ftp, www. and bare domains with a path; kept without credentials, query "
        "and fragment, path parts "
        "that hold a redacted kind or a member's name replaced",
        "its target is useful; the parts with tokens and names are removed",
    ),
    Kind(
        "tracking_id",
        False,
        "1Z999AA10123456784",
        "UPS, USPS, Amazon, SF, JD, YTO, J&T and UPU S10 shapes; anything with digits after `tracking number`, 运单号",
        "staff find the parcel with it; useless without the shop's systems",
    ),
    Kind(
        "order_id",
        False,
        "order #12345",
        "the number (alone) after order, order no., 订单号, 单号; Amazon's 3-7-7 digits",
        "staff find the order with it; useless without the shop's systems",
    ),
    Kind(
        "date",
        False,
        "11月22日",
        "ISO, 12/03/2026, March 3rd, 3 Mar 2026, 2026年11月22日; not words such as yesterday",
        "useful: the time of the event",
    ),
    Kind(
        "money",
        False,
        "$12.99",
        "an amount with a currency sign, code or word, 3.5万元, 三百块钱",
        "useful: the amount at stake",
    ),
)

KINDS: dict[str, Kind] = {kind.label: kind for kind in _ALL}
REMOVED = "[REDACTED]"
"""Placeholder of a value that was removed because of its field's name."""

NAME_PLACEHOLDERS = {"person": "[PERSON]", "location": "[ADDRESS]"}
"""Placeholders by the model's label, for `redaction.names`: a name, and a location that is a postal address."""

LABELS: dict[str, str] = {
    **{kind.placeholder: label for label, kind in KINDS.items()},
    **{placeholder: label for label, placeholder in NAME_PLACEHOLDERS.items()},
}
"""Label by placeholder."""

PLACEHOLDER = re.compile("|".join(re.escape(placeholder) for placeholder in (*LABELS, REMOVED)))


def chosen_kinds(kinds: Collection[str] | None, also: Collection[str]) -> frozenset[str]:
    """Labels to redact according to the settings `redaction.kinds` and `redaction.also`.

    Raises ConfigError for an unknown one.
    """
    problems = [
        f"redaction.{setting}: {label!r} is not a kind; known kinds: {', '.join(KINDS)}"
        for setting, labels in (("kinds", kinds or ()), ("also", also))
        for label in labels
        if label not in KINDS
    ]
    if problems:
        raise ConfigError(problems)
    base = {label for label, kind in KINDS.items() if kind.redacted} if kinds is None else set(kinds)
    return frozenset(base | set(also))
