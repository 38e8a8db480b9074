"""Signs: no recognizer that would find something is left out, also for letters that `re` takes for others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.config import RedactionSettings
from triage.literals import required_literals
from triage.redaction import KINDS, Redactor, scanner
from triage.redaction.recognizers.common import cue_words
from triage.redaction.signs import signs_near_digits, words_in


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("paid 20 DOLLARS on 3 ſept 2026", "paid 20 DOLLARS on 3 ſept 2026"),
        ("https://shop.example/p/1?token=2", "https://shop.example/p/1"),
        ("WWW.shop.example/users/jane-roe-88", "WWW.shop.example/users/[HANDLE]"),
    ],
)
def test_texts_are_redacted_as_without_signs(text: str, shown: str) -> None:
    assert Redactor(RedactionSettings()).redact_text(text) == shown


def test_a_plain_complaint_has_no_signs() -> None:
    assert signs_near_digits("the sofa is awful, the 2 of us ordered 3 words ago and nobody may help") == frozenset()
    assert words_in("the sofa is awful and nobody helps me") == frozenset()


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("3 SEPT", "date"),
        ("3rd of May", "date"),
        ("September the 3rd", "date"),
        ("3/5", "numeric date"),
        ("5 EUR", "money"),
        ("5 thousand dollars", "money"),
        ("RS. 5", "money"),
        ("ORDER number is: AB-12", "order_id"),
        ("订单编号:12", "order_id"),
        ("运单", "tracking_id"),
    ],
)
def test_signs_ignore_case(text: str, sign: str) -> None:
    assert sign in signs_near_digits(text)


def test_each_name_of_a_network_has_a_sign() -> None:
    for group in ("messenger", "messenger_short"):
        names = {name for name in required_literals(cue_words(group)) or () if len(name) > 2 or name > "\u4e00"}
        assert len(names) > 15
        missed = {name for name in names - {"加"} if not words_in(name) & {"handle", "short handle"}}
        assert missed == set()


@pytest.mark.parametrize("network", ["linkedin", "YouTube", "threads", "weibo", "douyin", "豆瓣", "飞书", "領英"])
def test_a_name_after_a_network_is_hidden(network: str) -> None:
    assert Redactor(RedactionSettings()).redact_text(f"{network}: anna_b77") == f"{network}: [HANDLE]"


_PIECES = """
3 12 20 2026 88 4711 99213 A-1 5.5 $ € USD dollars rs. ¥ 元 块钱 million
k 多 thousand may ſept September 3rd of the th order ORDER orders 订单 单号
ord number is : # no. tracking awb 运单 快递 at dot [at] (DOT) @
shop.example # gmail.com jo _at_ 圈a ig IG tg right insta line wechat linkedin weibo 豆瓣
微信 vx id password pin code 验证码 密码 kettle99 otp / | is my plate B 12
XYZ car AB12 CDE 沪A12345 08-12-34 QQ123456C A123456(3) 10.0.0.1 ::
ſecret İ 13812345678 key sk- answer Rex
"""
_TEXTS = st.lists(st.sampled_from(_PIECES.split()) | st.text(max_size=3), max_size=12).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda glue: glue.join(parts))
)
_EVERYTHING = Redactor(RedactionSettings(also=list(KINDS)))


@given(_TEXTS)
@settings(max_examples=600, deadline=None)
def test_no_recognizer_is_left_out_that_finds_something(text: str) -> None:
    found = _EVERYTHING.redact(text)
    with pytest.MonkeyPatch.context() as patch:
        words = {"email", "handle", "secret", "secret of letters"}
        patch.setattr(scanner, "words_in", lambda _: frozenset(words))
        numbers = frozenset({"tracking_id", "order_id", "date", "numeric date", "money"})
        patch.setattr(scanner, "signs_near_digits", lambda _: numbers)
        patch.setattr(scanner, "_LEAST_LONG", 1)
        patch.setattr(scanner, "_LEAST_SIX", 1)
        patch.setattr(scanner, "_SIX_DIGITS", scanner._DIGITS)
        assert _EVERYTHING.redact(text) == found


@given(st.lists(_TEXTS | st.text(), max_size=3), st.sampled_from([None, "B-12", "kettle99", "jo"]))
@settings(max_examples=400, deadline=None)
def test_several_texts_are_redacted_as_each_by_itself(texts: list[str], author: str | None) -> None:
    for redactor in (_EVERYTHING, Redactor(RedactionSettings())):
        redacted = redactor.redact_all(texts, [author] * len(texts))
        assert redacted == [redactor.redact(text, author) for text in texts]
