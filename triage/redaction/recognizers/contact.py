"""Finds e-mail addresses, handles and IP addresses."""

import ipaddress
import re

from triage.redaction.recognizers.common import CJK, MASK, Found, cue_before, cue_words, cued, scan

_LOCAL = rf"[^\s@<>()\[\]{{}},;:\"“”\\|/=!?{CJK}{MASK}\U00010000-\U0010ffff]"
_HAN_DOMAINS = (
    "中国|公司|网络|网址|在线|中文网|我爱你|商城|集团|香港|台湾|新加坡|移动|政务|公益|手机|商店|网店|餐厅|企业|信息"
)
_LABEL = r"[A-Za-z0-9\u00c0-\u024f\u0370-\u04ff\-]"
_EMAIL = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}++@(?:{_LABEL}++|[\u4e00-\u9fff]{{1,20}})"
    rf"(?:(?:\.{_LABEL}++)++|(?:\.{_LABEL}++)*+\.(?:{_HAN_DOMAINS}))"
)
# With Chinese characters before the @ too, at a Chinese ending.
_HAN_EMAIL = re.compile(
    rf"(?:(?<![\u4e00-\u9fffA-Za-z0-9._+\-])|(?<=[是为系到给]))[\u4e00-\u9fffA-Za-z0-9._+\-]{{1,12}}@"
    rf"[\u4e00-\u9fffA-Za-z0-9\-]{{1,20}}\.(?:{_HAN_DOMAINS})"
)
# The @ as links, quoted-printable mail and HTML write it.
_ENCODED_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._+\-]{1,64}(?:%40|=40|&#0*64;|&#[xX]40;|&commat;)[A-Za-z0-9\-]{1,63}"
    r"(?:\.[A-Za-z0-9\-]{1,63})*\.[A-Za-z]{2,12}(?![A-Za-z0-9])"
)
_PROVIDERS = (
    r"gmail|googlemail|yahoo|hotmail|outlook|live|icloud|me|aol|proton|protonmail|gmx|qq|foxmail|163|126|sina|sohu"
)
_SPACED_EMAIL = re.compile(
    rf"(?<![\w.+\-])[A-Za-z0-9._%+\-]++(?: ?@ | @ ?)(?:(?i:{_PROVIDERS}))(?:\.[A-Za-z]{{2,6}}){{1,2}}(?![A-Za-z0-9])"
)
_AT = r"(?: ?[\[({<] ?(?:at|@|a) ?[\])}>] ?| at | ?(?:圈a|艾特|爱特|小老鼠|老鼠号|@) ?|[\-_]at[\-_])"
_DOT = r"(?: ?[\[({<] ?(?:dot|\.) ?[\])}>] ?| dot | ?点 ?|[\-_]dot[\-_]|\.)"
_SPELT_EMAIL = re.compile(
    rf"(?i:(?<![a-z0-9._%+\-])(?:[a-z0-9]{{1,20}} dot )?[a-z0-9._%+\-]{{1,64}}?{_AT}[a-z0-9\-]{{1,63}}"
    rf"(?:{_DOT}[a-z0-9\-]{{1,63}}){{0,3}}{_DOT}[a-z]{{2,12}})(?![A-Za-z0-9])"
)
# As people mistype them, at well-known providers: a comma or 。 for the dot, no dot, no domain, blanks, # for @.
_NO_WORDS = "|".join(name for name in _PROVIDERS.split("|") if name not in {"me", "live"})
_ENDING = r"(?i:com?n?|net|cn|org|de|fr|co\.uk)"
_MISTYPED_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.%+\-])(?:[A-Za-z0-9._%+\-]{1,64}(?: ?@ ?|#)"
    rf"(?:(?i:{_PROVIDERS}) ?[.,，。·] ?{_ENDING}|(?i:{_NO_WORDS})(?:{_ENDING})?)"
    r"|[A-Za-z0-9._%+\-]{2,64}(?:@[A-Za-z0-9\-]{2,30} ?[,，。] ?| @ ?[A-Za-z0-9\-]{2,30}\.|@ [A-Za-z0-9\-]{2,30}\.)"
    r"(?i:com|net|org|cn|co\.uk|example|io|de|fr))(?![A-Za-z0-9])"
)
_EMAIL_WORD = re.compile(
    r"(?i:(?<![a-z])(?:e-?mail|mail)(?: (?:me|address|is|to|at))*|(?:reach|contact|write to|write) (?:me"
    r"|us)(?: at)?|邮箱|电邮|邮件|信箱)[ :：是为系]*$"
)
_AT_DOMAIN = re.compile(r" at [A-Za-z0-9\-]{2,40}\.[A-Za-z0-9\-]")
_PLAIN_AT = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{2,40} at [A-Za-z0-9\-]{2,40}(?:\.[A-Za-z0-9\-]{2,30}){1,3}(?![A-Za-z0-9])"
)
_SPELT_SIGN = re.compile(
    r"(?i:[\[({<] ?(?:at|@|a|dot|\.) ?[\])}>]| dot |[\-_]dot[\-_]|_at_|圈a|艾特|爱特|小老鼠|老鼠号)"
)

EMAIL_SIGNS = (
    "@", "#", " at ", "40", "64;", "&comm", " dot ", "-dot", "_dot", "_at_", "圈a", "艾特", "爱特", "小老鼠", "老鼠号",
    *(f"{bracket}{blank}{sign}" for bracket in "[({<" for blank in ("", " ") for sign in ("a", "dot", ".")),
)  # fmt: skip
"""Parts of the ways to write an address, in lower case: `find_email` finds nothing in a text without any of them."""


def find_email(text: str) -> Found:
    found = (
        [match.span() for match in _ENCODED_EMAIL.finditer(text)]
        if "40" in text or "64;" in text or "&comm" in text
        else []
    )
    if "@" in text:
        for match in _EMAIL.finditer(text):
            start = match.end() - len(match[0].lstrip("'.-*#&$~`^"))
            last = match[0].rpartition(".")[2]
            if text[start] != "@" and (last[:1].isalpha() or _V4.search(match[0])):
                found.append((start, match.end()))
        if not found:
            found = [match.span() for match in _SPACED_EMAIL.finditer(text)]
    if not found and "@" in text and not text.isascii():
        found = [match.span() for match in _HAN_EMAIL.finditer(text)]
    if not found and ("@" in text or "#" in text):
        found = [match.span() for match in _MISTYPED_EMAIL.finditer(text)]
    if not found and " at " in text and _AT_DOMAIN.search(text):
        found = [match.span() for match in _PLAIN_AT.finditer(text) if cued(text, match.start(), _EMAIL_WORD)]
    # " at b.com" alone may name a shop; only a spelt-out sign makes it an address.
    if not found and _SPELT_SIGN.search(text):
        found = [match.span() for match in _SPELT_EMAIL.finditer(text) if _SPELT_SIGN.search(match[0])]
    return found


_NAME = r"@(?=[0-9_]{0,29}[A-Za-z])[A-Za-z0-9_](?:[A-Za-z0-9_]|\.(?=[a-z0-9_])){1,29}"
_LATIN_HANDLE = re.compile(rf"(?<![A-Za-z0-9._%+\-@]){_NAME}(?:{_NAME})*+(?![A-Za-z0-9_])")
# A mention on Weibo has up to 30 half-width characters and ends at a space or punctuation; a longer run is text.
_CHINESE_HANDLE = re.compile(
    r"(?<![A-Za-z0-9._%+\-@])@(?=[\u4e00-\u9fff])[\u4e00-\u9fffA-Za-z0-9_\-]{2,15}(?![\u4e00-\u9fffA-Za-z0-9_\-])"
)
_ID_WORD = r"号码?|[账帐]号|昵称|用户名| ?id(?![a-z])| ?(?:handle|user ?name|name|tag)(?![a-z])"
_MESSENGER = re.compile(
    rf"(?:{cue_words('messenger')}(?P<word>(?i:{_ID_WORD}))?(?P<link>(?: ?(?:[:：=]|是|为|系| is"
    rf"(?![a-z])| was(?![a-z])| -)|(?<=[号名称dDeEgG])) ?)@?"
    r"(?P<name>[A-Za-z](?:[A-Za-z0-9_\-]|\.(?=[A-Za-z0-9_])){4,31})"
    rf"|{cue_words('messenger_short')}[:： ]{{1,2}}@?(?P<spaced>(?=[A-Za-z_.#\-]*[0-9])[A-Za-z]"
    rf"(?:[A-Za-z0-9_\-]|[.#](?=[A-Za-z0-9_])){{4,31}})"
    # Right after it: letters and digits that are not a version, as in 微信ios18.
    r"|(?:[微薇威徽vV]信号?|(?i:[wv]x号))(?P<joined>(?!(?i:ios|android|app|pc|mac|win"
    r"|beta)[0-9])[A-Za-z_\-]{3,20}[0-9][A-Za-z0-9_\-]{1,20})"
    rf"|{cue_words('messenger')}(?:号码?|[账帐]号|(?i: ?id))(?: ?[:：是为系]? ?)(?P<digits>[0-9]{{6,12}})"
    rf"|(?:(?<![A-Za-z])(?i:qq)|扣扣)(?:号码?|群)?(?: ?[:是为]? ?)(?P<number>[1-9][0-9]{{4,10}}))(?![A-Za-z0-9_\-])"
)
# Parts of the words above: a text without any of them is not searched.
MESSENGER_SIGNS = (
    "微", "v信", "薇", "威信", "徽信", "扣扣", "chat", "xin", "tele", "whats", "line", "signal", "skype", "wx", "vx",
    "qq", "加v", "insta", "snap", "discord", "viber", "kakao", "zalo", "kik", "faceb", "twitter", "tik",
    "linkedin", "youtube", "twitch", "pinterest", "bluesky", "mastodon", "threads", "weibo", "douyin",
    "reddit", "steam", "xbox", "gamer", "psn", "红书", "抖音", "快手", "新浪", "知乎", "贴吧", "哔哩", "b站", "陌陌",
    "钉钉", "旺旺", "淘宝", "闲鱼", "支付宝", "脸书", "推特", "领英", "豆瓣", "飞书",
)  # fmt: skip
SHORT_MESSENGERS = ("ig", "tg", "fb")
_SHORT_NAMES = re.compile(rf"(?<![a-z])(?:{'|'.join(SHORT_MESSENGERS)})(?![a-z])")
_SIGNED = re.compile(r"[0-9_.\-]")
# Their names are often letters alone; `Telegram: useless` is not a name.
_WECHAT = re.compile(r"(?i:微信|薇信|威信|徽信|wechat|weixin|[wv]x)")
_LATIN_WORD = re.compile(r"[ ,]+[a-z]")


# Names of accounts for payments, without a domain: ravi.k@okicici.
_PAYEE = re.compile(r"(?<![A-Za-z0-9._\-])[A-Za-z0-9._\-]{2,40}@[a-z]{2,20}(?![A-Za-z0-9.@])")
_PAYEE_CUE = re.compile(r"(?i:(?<![a-z])(?:upi|vpa)(?: id)?(?: is|[ .:#\-])*)$")


def find_handle(text: str) -> Found:
    found = []
    if "@" in text:
        found += [match.span() for match in _PAYEE.finditer(text) if cued(text, match.start(), _PAYEE_CUE)]
        found += [match.span() for match in _LATIN_HANDLE.finditer(text)]
        found += [match.span() for match in _CHINESE_HANDLE.finditer(text)]
    lowered = text.lower()
    # A loop: a generator would cost more than the searches.
    for sign in MESSENGER_SIGNS:
        if sign in lowered:
            return found + _messengers(text)
    return found + _messengers(text) if has_short_name(lowered) else found


def has_short_name(text: str) -> bool:
    """True if the text has the name of a network in two letters as a word: `ig`, not `right`."""
    return _SHORT_NAMES.search(text.lower()) is not None


def _messengers(text: str) -> Found:
    return [match.span(match.lastgroup or 0) for match in _MESSENGER.finditer(text) if _is_name(match)]


def _is_name(match: re.Match[str]) -> bool:
    """False for `WeChat is broken`: a name of letters alone is not part of an English sentence."""
    name = match["name"]
    if name is None or _SIGNED.search(name):
        return True
    if _LATIN_WORD.match(match.string, match.end()):
        return False
    if match["word"] is not None:
        return True
    return match["link"].strip() not in {"is", "was", "-"} and _WECHAT.match(match[0]) is not None


_DOTS = 3
# Three digits: versions rarely have such parts, 97.5 % of the addresses do.
_DIGITS_OF_LARGE = 3
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?<![0-9])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9]|\.[0-9])")
_V6 = re.compile(r"(?<![A-Za-z0-9:.])[0-9A-Fa-f:]++(?![A-Za-z0-9])")
_VERSION = cue_before("version", r"[了号 :.(\-]")
_VERSION_AFTER = re.compile(
    r"(?i: ?(?:升|更新|降级|降到|版|固件|系统|(?:update|upgrade|build|release|firmware|version|patch"
    r"|hotfix|beta|rc)(?![a-z])))"
)
_ADDRESS = cue_before("address", r" (?:is|at|was|of|via)|[是为:： @(]")


def find_ip(text: str) -> Found:
    found = scan(_V4, text, _is_address) if text.count(".") >= _DOTS else []
    if text.count(":") >= 2:
        for match in _V6.finditer(text):
            value = match[0][:-1] if match[0].endswith(":") and not match[0].endswith("::") else match[0]
            if 6 <= len(value) <= 39 and _is_v6(value):
                found.append((match.start(), match.start() + len(value)))
    return found


def _is_address(match: re.Match[str]) -> bool:
    """False for a version with four parts: after a word for one, or all parts small and no word for an address."""
    text, start = match.string, match.start()
    if cued(text, start, _VERSION) or _VERSION_AFTER.match(text, match.end()):
        return False
    return cued(text, start, _ADDRESS) or any(len(part) == _DIGITS_OF_LARGE for part in match[0].split("."))


def _is_v6(value: str) -> bool:
    # "12::30" is a valid IPv6 address, but rather a mistyped time.
    if value.count(":") < 2 or len(value.replace(":", "")) < 5:
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return True
