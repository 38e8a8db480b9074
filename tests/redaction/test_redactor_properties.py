"""Properties of redaction for every text."""

import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric
from stdnum.iso7064 import mod_97_10

from triage.config import RedactionSettings, WorkerSettings
from triage.redaction import KINDS, Redactor
from triage.redaction.kinds import PLACEHOLDER

REDACTOR = Redactor(RedactionSettings())
EVERYTHING = Redactor(RedactionSettings(also=list(KINDS)))

_WORDS = """
my order phone card number is 订单号 电话 请联系 手机 我的 快递 了 ， 。 ： ! the late call 退款 没收到
on at from 😡 ( ) - / @ # : + 3
12 2026 $5 300元 v2 [EMAIL] [PHONE] https://a.example/b ?q=1 a@b.com 13812345678 4111111111111111 ＠ ７ . , IBAN GB82 x1
[at] dot 微信号 QQ 身份证 1Z 元 月 日 536-90-4399 415-555-2671 0 00 +86 192.168.1.1 :: ² é www. .com/ _ %
"""
WORDS = st.sampled_from([*_WORDS.split(), "\u200b", "\n", "  "])
MIXED = st.lists(WORDS | st.text(max_size=6), max_size=14).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda glue: glue.join(parts))
)
PLAIN = st.text(
    st.characters(categories=("L", "Zs"), max_codepoint=0x9FFF, exclude_characters="@")
    | st.sampled_from("，。！？；,!? \n我的了请"),
    max_size=30,
)


@given(MIXED)
@settings(max_examples=400, deadline=None)
def test_spans_are_sorted_apart_and_within_the_text(text: str) -> None:
    result = REDACTOR.redact(text)
    position = 0
    for span in result.spans:
        assert position <= span.start < span.end <= len(result.text)
        position = span.end
        assert span.label in KINDS
        assert (span.confidence, span.source) == (1.0, "rule")
        if KINDS[span.label].redacted:
            assert result.text[span.start : span.end] == KINDS[span.label].placeholder
    assert result.changed == (result.text != text)


@pytest.mark.parametrize("redactor", [REDACTOR, EVERYTHING], ids=["default", "everything"])
@given(text=MIXED | st.text())
@settings(max_examples=300, deadline=None)
def test_redacting_again_changes_nothing(redactor: Redactor, text: str) -> None:
    once = redactor.redact(text)
    again = redactor.redact(once.text)
    assert again.text == once.text
    assert again.spans == once.spans
    assert not again.changed
    assert len(once.text) <= 4 * len(text)


@given(MIXED)
@settings(deadline=None)
def test_without_kinds_only_addresses_are_cleaned(text: str) -> None:
    assume("://" not in text and "www" not in text)
    result = Redactor(RedactionSettings(kinds=[])).redact(text)
    assert PLACEHOLDER.sub("", result.text) == PLACEHOLDER.sub("", text) or "[" in text


def _card(prefix: str, body: str, separator: str) -> str:
    digits = prefix + body[: 15 - len(prefix)]
    digits += luhn.calc_check_digit(digits)
    return separator.join(digits[start : start + 4] for start in range(0, 16, 4))


def _resident(region: str, year: int, month: int, day: int, order: int) -> str:
    body = f"{region}{year}{month:02}{day:02}{order:03}"
    return body + ric.calc_check_digit(body + "0")


def _iban(bank: str, account: str) -> str:
    bban = bank + account
    return "DE" + mod_97_10.calc_check_digits(bban + "DE") + bban


DIGITS = "0123456789"


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


PLANTED = st.one_of(
    st.builds(
        lambda name, host, top: f"{name}@{host}.{top}",
        st.from_regex(r"[a-z][a-z0-9_.+]{0,20}[a-z0-9]", fullmatch=True),
        st.from_regex(r"[a-z][a-z0-9\-]{0,20}[a-z]", fullmatch=True),
        st.sampled_from(["com", "cn", "co.uk", "example.org"]),
    ),
    st.builds(
        lambda head, body, shape: shape.format(f"1{head}{body[0]}", body[1:5], body[5:]),
        st.sampled_from("3456789"),
        digits(9),
        st.sampled_from(["{}{}{}", "{}-{}-{}", "{} {} {}", "+86{}{}{}", "+86 {} {} {}", "0086{}{}{}"]),
    ),
    st.builds(
        lambda a, b, c, shape: shape.format(a, b, c),
        st.sampled_from(["212", "415", "650", "305", "718"]),
        st.sampled_from(["555", "234", "867"]),
        digits(4),
        st.sampled_from(["({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1 {} {} {}", "+1{}{}{}", "{}{}{}", "1-{}-{}-{}"]),
    ),
    st.builds(
        _card,
        st.sampled_from(["4", "51", "55", "62", "6011", "35", "2221"]),
        digits(15),
        st.sampled_from(["", " ", "-"]),
    ),
    st.builds(
        _resident,
        st.sampled_from(["110105", "440301", "310115"]),
        st.integers(1930, 2020),
        st.integers(1, 12),
        st.integers(1, 28),
        st.integers(0, 999),
    ),
    st.builds(_iban, digits(8), digits(10)),
)
WIDE = str.maketrans({chr(point): chr(point + 0xFEE0) for point in range(0x21, 0x7F)})


@given(before=PLAIN, planted=PLANTED, after=PLAIN, wide=st.booleans())
@settings(max_examples=800, deadline=None)
def test_planted_personal_data_never_survives(before: str, planted: str, after: str, wide: bool) -> None:
    # A12345 is somebody's number of something, unless the number has the look of a phone number.
    assume(not (before[-1:].isupper() and planted.isdigit() and len(planted) == 10))
    shown = planted.translate(WIDE) if wide else planted
    result = REDACTOR.redact(before + shown + after)
    assert shown not in result.text
    assert result.changed
    # Not even most of it: no run of six characters of the number or name is left.
    rest = PLACEHOLDER.sub("\0", result.text)
    surroundings = before + "\0" + after
    core = "".join(char for char in planted if char.isalnum()) if "@" not in planted else planted.partition("@")[0]
    for start in range(len(core) - 5):
        assert core[start : start + 6] not in rest or core[start : start + 6] in surroundings


@given(before=PLAIN, planted=PLANTED, after=PLAIN)
@settings(deadline=None)
def test_planted_data_in_an_attribute_or_payload_never_survives(before: str, planted: str, after: str) -> None:
    assume(not (before[-1:].isupper() and planted.isdigit() and len(planted) == 10))
    text = before + planted + after
    assert planted not in str(REDACTOR.redact_attributes({"note": text, text: 1}))
    assert planted not in REDACTOR.redact_json(text)


HOSTILE = {
    "digits": "1" * 100_000,
    "spaced digits": "1 " * 50_000,
    "card starts": "4 " * 50_000,
    "card runs": "4111 1111 1111 1112 " * 5_000,
    "at signs": "@" * 100_000,
    "a@": "a@" * 50_000,
    "a@a.": "a@a." * 25_000,
    "letters": "a" * 100_000,
    "dots": "." * 100_000,
    "a.": "a." * 50_000,
    "plus": "+1" * 50_000,
    "00": "00 1 " * 20_000,
    "colons": ":" * 100_000,
    "hex": "a:" * 50_000,
    "iban heads": "GB82" * 25_000,
    "slashes": "http://" * 14_000,
    "brackets": "[" * 100_000,
    "placeholders": "[EMAIL]" * 14_000,
    "placeholder urls": "https://a.example/[EMAIL]" * 4_000,
    "zero width": "\u200b" * 100_000,
    "order": "order " * 16_000,
    "order no": "order no no no no " * 6_000,
    "订单号": "订单号：" * 25_000,
    "money": "$" * 100_000,
    "1,": "1,111" * 20_000,
    "months": "may " * 25_000,
    "dates": "3 may " * 16_000,
    "phones": "138 1234 567" * 8_000,
    "parens": "(" * 100_000,
    "中文数字": "一" * 100_000,
    "wide": "１" * 100_000,
    "quotes": '"' * 100_000,
    "keys": '"author_id":' * 8_000,
}


def _steps(text: str, call: str) -> int:
    """Number of Python lines that the call executes: a measure that does not depend on the machine."""
    count = 0

    def trace(frame: object, event: str, arg: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        getattr(REDACTOR, call)(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("call", ["redact", "redact_json"])
@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_in_proportion_to_hostile_texts(name: str, call: str) -> None:
    text = HOSTILE[name]
    small, large = _steps(text[:2_000], call), _steps(text[:8_000], call)
    assert large <= 4 * small * 1.5 + 2_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_of_the_default_length_come_back(name: str) -> None:
    text = HOSTILE[name][: WorkerSettings().max_text_chars]
    result = REDACTOR.redact(text)
    assert len(result.text) <= 4 * len(text)
