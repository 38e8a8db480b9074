"""Finds passwords, PINs, one-time codes, keys and gift card codes, next to a word that names them."""

import re

from triage.keywords import KeywordGroups, caseless
from triage.literals import required_literals
from triage.patterns import load_patterns
from triage.redaction.recognizers.common import MASK, Found, Signs, cue_words

# Signs of the keys that are known by their form.
_FORMAT_SIGNS = (
    "akia", "asia", "k_live_", "k_test_", "sk-", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-",
    "xox", "aiza", "eyj", "private key-",
)  # fmt: skip
# A text without any of these, in lower case, contains no secret.
SIGNS = Signs(
    *load_patterns("triage.redaction.recognizers", "cues")["secret_signs"],
    *_FORMAT_SIGNS,
    # Something that was found, an e-mail address for one, and what follows it.
    *(f"{MASK}{sign}" for sign in (":", " :", "/", " /", "|", " |")),
)
# What may stand between the name and the value. No two alternatives match the same, so the time stays linear.
_IS = (
    r"(?:['’]s(?![a-z])| (?:is|was|are|has(?: always)? been|used to be|should be|being|now|still|sent|tried"
    r"|=|lautet|ist|war|est|était|es|era|è)(?![a-zà-ü])|,? (?:and )?it(?:['’]s| is| was)(?![a-z])"
    r"| \(?on (?:the |my )?(?:back|front)"
    r"(?: of (?:the |my )?card)?\)?"
    r"|[四六八468]位数?(?:字|的)?(?=[0-9]{4})|(?:是|为|系|就|还|我|一直|都|应该|填|写|打|输入|设|设置|设定"
    r"|重置|重设|改|换|用|收到|发来|显示|登记)(?:的|了|着|成|为|到|过"
    r"|是)*|[はが]| (?:-|->|→)(?= )"
    r"|['\"“”‘’「」『』(（:：=\[\s])*"
)
_CHAR = r"[^\s'\"“”‘’「」,，。;；()（）<>\[\]\u3040-\u30ff\u4e00-\u9fff]"
# "my password is wrong" contains no password: a secret must contain a digit or a sign.
_TYPED = rf"(?=[^\s]{{0,40}}[0-9@#$%^&*_+=!])(?P<secret>{_CHAR}{{4,64}}(?<![.!?:]){_CHAR}?)(?![A-Za-z0-9])"
# Not a length, a time or a count: `验证码60秒`, `PIN 3 times`, `OTP since 09:30`.
_NO_COUNT = r"(?![0-9]| ?(?:秒|位|分钟|次|天|小时|元|times|digits?|seconds?|minutes?|attempts?|days?)|[:.][0-9])"
_CODE = r"[0-9]{3}[ \-][0-9]{3}(?:[ \-][0-9]{3})?|[0-9]{2}[ \-][0-9]{2}[ \-][0-9]{2}|[0-9]{4}[ \-][0-9]{4}|[0-9]{4,8}"
_PIN_DIGITS = r"[0-9](?:[ \-][0-9]){3,5}|[0-9]{3,4}(?:[ \-][0-9]{3,4}){1,3}|[#*]?[0-9]{3,8}[#*]?"
_OF = (
    r"(?: ?(?:for|of|to) [a-z' ]{1,30}"
    r"|,? (?:that |which )?(?:i|you|we|they|he|she) [a-z]{2,9}(?: (?:me|us|you|it))?,?)?"
)
_PASSWORD = re.compile(rf"(?:{cue_words('password')}{_OF}{_IS}|{cue_words('password_change')} ['\"“]?){_TYPED}")
_PIN = re.compile(
    rf"{cue_words('pin')}(?! (?:pad|of))(?:{_IS}|(?i: to )|(?i: (?:to|for) (?:my|the"
    rf"|our) [a-z]{{2,12}}(?: [a-z]{{2,12}})?,? (?:is )?))(?P<secret>{_PIN_DIGITS}){_NO_COUNT}"
)
_ONE_TIME = re.compile(rf"{cue_words('one_time_code')}{_IS}(?P<secret>(?:[A-Z]{{1,3}}-)?(?:{_CODE})){_NO_COUNT}")
_LETTERED_CODE = re.compile(
    rf"{cue_words('lettered_code')}{_IS}(?=[A-Z\-]{{0,8}}[0-9])(?P<secret>[A-Z0-9]{{1,6}}"
    rf"(?:-[A-Z0-9]{{1,6}}){{1,3}}|[A-Z0-9]{{4,8}}){_NO_COUNT}(?![A-Za-z0-9\-])"
)
_RECOVERY = re.compile(
    rf"{cue_words('recovery_code')}{_IS}(?=[A-Za-z\-]{{0,20}}[0-9])(?P<secret>[A-Za-z0-9]{{3,40}}"
    rf"(?:-[A-Za-z0-9]{{3,12}}){{0,7}})(?![A-Za-z0-9])"
)
_ANSWER = re.compile(rf"{cue_words('answer')}{_IS}{_TYPED}")
# Letters alone, of answers: after `is` too, capitalized or in Chinese.
_NAMED_ANSWER = re.compile(
    rf"{cue_words('answer_word')}(?: ?[:：=] ?| (?:is|was) | |[是为系] ?)['\"“‘「]?"
    r"(?P<secret>[A-Z][A-Za-z]{2,20}(?: [A-Z][A-Za-z]{2,20}){0,2}|[\u4e00-\u9fff]{2,8}|[a-z]{4,20})(?= *(?:$"
    r"|['\"”’」,，。.;；!\n)）]))"
)
_ANSWER_BEFORE = re.compile(
    r"(?i:[:：] ?)(?P<secret>[A-Z][A-Za-z]{2,20})(?i:,? (?:that is|that'?s|is) my (?:security|secret) (?:answer|word))"
)
# Words from which a wallet is restored: twelve to twenty-four.
_PHRASE = re.compile(
    rf"{cue_words('phrase')}(?: ?[:：=] ?| (?:is|was) | |是|为"
    rf"|系)?['\"“「]?(?P<secret>[a-z]{{3,8}}(?: [a-z]{{3,8}}){{11,23}})(?![a-z])"
)
# Some words between: `passphrase correct horse 9 staple`.
_SPACED = re.compile(
    r"(?i:(?<![a-z])pass ?phrase)(?: ?[:：=] ?| (?i:is|was) | )['\"“]?(?P<secret>[a-z]{3,12}(?: [a-z]{3,12}"
    r"| [0-9]{1,4}){2,7})(?![A-Za-z0-9])"
)
# A second one in the same sentence: `密码abc123和lh8812都试过`.
_MORE = re.compile(
    rf"['\"”’]?(?: (?:and|or|then|also|to|into) (?:(?:new|old|now) )?| ?(?:[&/,、，和或跟]|->|→|改成"
    rf"|改为) ?)['\"“‘]?{_TYPED}"
)
# Letters alone: only behind a colon, and as all that follows.
_WORD = re.compile(
    rf"(?:{cue_words('password')}|{cue_words('answer')}) ?[:：=] ?(?P<secret>[A-Za-z]{{4,32}})(?= *"
    rf"(?:$|[,，。.;；\n)）]))"
)
_KEY = re.compile(
    rf"{cue_words('key')}{_IS}(?=[^\s]{{0,80}}[0-9])(?P<secret>[A-Za-z0-9][A-Za-z0-9._~+/=\-]{{7,400}})(?![A-Za-z0-9])"
)
_GIFT = re.compile(
    rf"{cue_words('gift_code')}{_IS}(?=[^\s]{{0,40}}[0-9])"
    r"(?P<secret>[A-Za-z0-9]{2,8}(?:[ \-]?[A-Z0-9]{2,8}){1,6})(?![A-Za-z0-9]| (?:points|miles|coins|stars)(?![a-z]))"
)
_VALUE = (
    rf"(?<![A-Za-z0-9.,:/#$€£¥+\-])(?P<secret>(?:[A-Z]-)?(?:{_CODE})|[0-9]{{3}}|"
    rf"(?=[A-Za-z]{{0,30}}[0-9@#$%^&*_+=!]){_CHAR}{{5,64}})"
)
_BEFORE = re.compile(
    rf"{_VALUE}(?:(?i: (?:is|was|as|=) (?:my|the|our|your|his|her|their|a) (?:[a-z]{{2,12}} ){{0,2}}?)"
    rf"|(?:是|就是|为|作为|做|当作?|做为)(?:我|你|您)?(?:们)?(?:的|嘅)?){cue_words('named_after')}"
)
_TO_SIGN_IN = re.compile(
    rf"(?i:(?<![a-z])(?:use|enter|type|input)|输入|使用|填写) ?(?:(?i:code|the code) )?(?P<secret>{_CODE})"
    r"(?i: (?:to (?:log|sign|verify|confirm|complete|finish|authenticate|reset|access|activate)"
    r"|as your)|(?:完成|进行)?(?:验证|登录|登入))"
)
# The value first: `I type Kettle99 and it says wrong password`, `输入kettle99提示密码错`.
_TRIED = re.compile(
    rf"(?:(?i:(?<![a-z])(?:typed?|enter(?:ed)?|used?|tried|put(?: in)?) )|输入?了?|填了?|用) ?['\"“]?{_TYPED}"
    r"(?=[^.!?。！？\n]{0,40}(?i:pass ?(?:word|code)|pwd|密码|口令))"
)
_CODE_FIRST = re.compile(
    rf"(?:(?i:(?<![a-z])(?:got|received|sent me|entered|typed) )|收到(?:的)?是?|收到了?|报了"
    rf"|填了?)(?P<secret>{_CODE})(?![0-9])"
    r"(?=[^.!?。！？\n]{0,36}(?i:code|otp|验证码|校验码))"
)
_OF_CODE = re.compile(
    r"(?<![0-9A-Za-z.,:\-])(?P<secret>[0-9]{4,8})(?=这[个组串条]?(?:[\u4e00-\u9fff]{0,2})(?:验证|校验|动态|认证)码)"
)
# An e-mail address or a name, and the password: `jo@example.com / kettle99`.
_CREDENTIALS = re.compile(
    rf"(?:{MASK} ?[:/|] ?|{cue_words('credentials')}[ :：]{{1,2}}[^\s:/]{{2,24}}(?: ?[:/|] ?| (?:key |pw )?))"
    rf"(?=[^\s]{{0,30}}[A-Za-z])(?=[^\s]{{0,30}}[0-9]){_TYPED}"
)
_CHANGED_FROM = re.compile(
    rf"(?i:(?<![a-z])(?:pass ?(?:word|code)|pwd|pin)(?: was)? changed from |change (?:my |the )?(?:password"
    rf"|pin|passcode)(?: from)? )"
    rf"['\"“]?{_TYPED}"
)
# After the date until which a card is valid.
_AFTER_EXPIRY = re.compile(
    r"[0-9*Xx]{4}[ ,;]{1,2}(?i:exp(?:iry|ires)?[ .:]{0,2})?(?:0[1-9]"
    r"|1[0-2]) ?[/\-]? ?(?:20)?[23][0-9][ ,;/]{1,2}(?P<secret>[0-9]{3,4})(?![0-9]|[.,:/\-][0-9])"
)
# Keys that are known by their form: of clouds, shops and code hosts, signed tokens, key files.
_FORMAT = re.compile(
    r"(?P<secret>(?<![A-Za-z0-9_\-])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|[prs]k_(?:live|test)_[A-Za-z0-9]{16,120}"
    r"|sk-[A-Za-z0-9_\-]{20,200}|gh[oprsu]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"
    r"|glpat-[A-Za-z0-9_\-]{16,100}|xox[abeprs]-[A-Za-z0-9\-]{10,200}|AIza[0-9A-Za-z_\-]{30,60}"
    r"|eyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{4,4000}\.[A-Za-z0-9_\-]{4,2000})(?![A-Za-z0-9_\-])"
    r"|-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----(?:[^-]{0,8000}-----END [A-Z ]{0,24}PRIVATE KEY-----|[^-]{0,8000}))"
)
# Searched only where the text, in lower case, contains one of the signs.
_PATTERNS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (
        _PASSWORD,
        ("pass", "pw", "pin", "kennwort", "mot de", "contrase", "clave", "senha", "key", "密", "口令", "パスワード"),
    ),
    (
        _PIN,
        (
            "pin",
            "puk",
            "safe",
            "lock",
            "alarm",
            "pattern",
            "padlock",
            "keypad",
            "intercom",
            "security",
            "cid",
            "背",
            "卡后",
            "pass",
            "cv",
            "csc",
            "code",
            "digit",
            "combination",
            "card ",
            "码",
            "背面",
            "三位",
            "番号",
        ),
    ),
    (
        _ONE_TIME,
        (
            "code",
            "pin",
            "pass",
            "otp",
            "2fa",
            "mfa",
            "say",
            "said",
            "show",
            "display",
            "read",
            "verif",
            "码",
            "口令",
            "短信",
            "简讯",
            "报",
            "コード",
        ),
    ),
    (_LETTERED_CODE, ("code", "guard", "码", "编号")),
    (_RECOVERY, ("code", "key", "phrase", "码", "恢复")),
    (_ANSWER, ("secret ", "security ", "memorable", "safe", "code", "maiden", "密保", "答案")),
    (
        _WORD,
        (
            "pass",
            "pw",
            "kennwort",
            "mot de",
            "contrase",
            "密",
            "security answer",
            "secret answer",
            "memorable",
            "maiden",
            "safe",
        ),
    ),
    (_KEY, ("key", "secret", "token", "bearer", "session", "cookie", "auth", "钥", "匙", "令牌")),
    (
        _GIFT,
        (
            "gift",
            "voucher",
            "rede",
            "top-up",
            "topup",
            "prepaid",
            "store credit",
            "card",
            "code",
            "cdk",
            "卡",
            "码",
            "礼券",
            "序号",
        ),
    ),
    (_BEFORE, ("pass", "pw", "pin", "cv", "otp", "code", "码", "密", "口令")),
    (_TRIED, ("pass", "pw", "密码", "口令")),
    (_CODE_FIRST, ("code", "otp", "码")),
    (_OF_CODE, ("码",)),
    (_CREDENTIALS, (MASK, "cred", "login", "log-in", "wifi", "wi-fi", "ssid", "密")),
    (_CHANGED_FROM, ("chang",)),
    (_FORMAT, _FORMAT_SIGNS),
    (_AFTER_EXPIRY, ("cv", "card", "exp", "/")),
    (_NAMED_ANSWER, ("answer", "maiden", "memorable", "word", "pet", "答案")),
    (_ANSWER_BEFORE, ("answer", "secret word")),
    (_PHRASE, ("phrase", "mnemonic", "seed", "助记")),
    (_SPACED, ("phrase",)),
    (_TO_SIGN_IN, ("use", "enter", "type", "input", "输入", "使用", "填写")),
)
_DIGIT = re.compile("[0-9]")
_OF_LETTERS = {_PASSWORD, _ANSWER, _WORD, _BEFORE, _NAMED_ANSWER, _ANSWER_BEFORE, _PHRASE}
_WITHOUT_DIGITS = tuple(row for row in _PATTERNS if row[0] in _OF_LETTERS)
SIGNS_OF_LETTERS = Signs(
    "pass", "pw", "kennwort", "mot de", "contrase", "secret", "security", "answer", "memorable", "maiden", "safe word",
    "safeword", "code word", "codeword", "phrase", "mnemonic", "seed ", "key", "密", "口令", "助记", "答案",
)  # fmt: skip
# In one pass the expressions that can match at all: each match has one of these parts.
_PARTS = {pattern.pattern: required_literals(pattern.pattern) for pattern, _ in _PATTERNS}
_LIKELY = KeywordGroups({pattern: parts or () for pattern, parts in _PARTS.items()})
_ALWAYS = frozenset(pattern for pattern, parts in _PARTS.items() if parts is None)
_LEAST_GIFT = 8
# `Password: required` names none.
_NO_SECRETS = frozenset((
    "blank", "broken", "changed", "compromised", "correct", "disabled", "empty", "entered", "expired",
    "failed", "forgot", "forgotten", "hidden", "incorrect", "invalid", "leaked", "locked", "missing",
    "mandatory", "none", "null", "optional", "please", "rejected", "required", "reset", "saved",
    "secret", "strong", "stolen", "unknown", "unset", "weak", "wrong",
))  # fmt: skip


def find_secret(text: str) -> Found:
    """Find the values of secrets; the words that name them are not part of the ranges."""
    lowered = text.lower()
    digits = _DIGIT.search(text) is not None
    if not (SIGNS if digits else SIGNS_OF_LETTERS).any_in(lowered):
        return []
    likely = _LIKELY.find(caseless(text)) | _ALWAYS
    # Loops: this runs for many texts, and generators would cost more than the searches.
    found: Found = []
    for pattern, signs in _PATTERNS if digits else _WITHOUT_DIGITS:
        for sign in signs if pattern.pattern in likely else ():
            if sign in lowered:
                found += [m.span("secret") for m in pattern.finditer(text) if _is_secret(pattern, m["secret"])]
                break
        if pattern in {_PASSWORD, _CHANGED_FROM}:
            # The list grows while it is read: a third one follows the second.
            for _, end in found:
                if match := _MORE.match(text, end):
                    found.append(match.span("secret"))
    return found


def _is_secret(pattern: re.Pattern[str], secret: str) -> bool:
    if pattern is _GIFT:
        return len(re.sub("[ -]", "", secret)) >= _LEAST_GIFT
    return pattern not in {_WORD, _NAMED_ANSWER} or secret.lower() not in _NO_SECRETS
