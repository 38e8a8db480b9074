"""Wishes for a person, direct and indirect, and what only looks like one."""

import time

import pytest

from triage.assist.conversations.wishes import is_farewell, is_greeting, prepared, says_solved, wants_person, yes_or_no


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a human", "agent", "are you a bot?", "can someone call me", "Get me your manager!",
        "I need assisstance from a real person", "i wanna speak to somone", "how do I contact an operatr",
        "I’d rather speak to a person", "转人工", "轉人工", "你是机器人吗", "请给我打个电话", "叫你们经理来", "有人吗",
        "can u get sum1 from ur team on here", "I would sooner discuss it w/ a member of staff", "店員在不在",
        "想找一位能拍板的人來談",
        "Is anyone from your side available?", "Could a colleague have a look?",
        "is there some chap down your way we might have a chat with", "kindly get a supervisor on the phone",
        "what do I dial for reception", "how can I get past the chatbot", "shall I go on with him about the lamp?",
        "I couldn't talk through a divorce with a computer", "I'd be happier if a colleague did it",
        "而家有人當值接聽嗎，請問有人值班嗎", "換個聽得懂的來", "幫我聯絡上次的那位女士", "駁返去同事度",
        "我想同你哋啲職員傾兩句",
    ],
)  # fmt: skip
def test_a_wish(text: str) -> None:
    assert wants_person(prepared(text))


@pytest.mark.parametrize(
    "text",
    [
        "I don't need a human", "no need to call me", "I spoke to an agent yesterday", "where is my parcel",
        "the driver called me", "My friends call me Bob", "you may call me Susan", "I changed my phone number",
        "不用转人工", "快递员给我打电话了", "我的电话号码换了", "退款", "这个人工费太贵", "",
        "can one person lift it", "is the blue one available", "my colleague ordered it", "直接退款就行",
        "there is someone at the door", "I can't connect this to a computer", "how do I switch off the machine",
        "what do I press for the timer", "carry on with the order", "换个能充电的", "找一下我先生的订单", "唔使轉人工",
        "這個系統設定在哪裏", "箱子傾斜了",
    ],
)  # fmt: skip
def test_no_wish(text: str) -> None:
    assert not wants_person(prepared(text))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("yes", "yes"), ("No.", "no"), ("not yet", "no"), ("sure, go ahead", "yes"),
        ("I haven't", "no"), ("I have", "yes"),
        ("it works", "yes"), ("it doesn't", "no"), ("hm, I already sent it", "yes"), ("purple", None), ("是的", "yes"),
        ("没有", "no"), ("没问题", "yes"), ("没有问题", "yes"),
        ("不行", "no"), ("已经寄回了", "yes"), ("还没", "no"), ("苹果", None),
    ],
)  # fmt: skip
def test_yes_and_no(text: str, answer: str | None) -> None:
    assert yes_or_no(prepared(text)) == answer


def test_greetings_farewells_and_ends() -> None:
    assert all(is_greeting(prepared(text)) for text in ("Hello!", "good morning", "你好", "在吗？"))
    assert not is_greeting(prepared("hello, where is my parcel"))
    assert all(is_farewell(prepared(text)) for text in ("thanks, bye", "Thank you so much!", "谢谢，再见", "ok thanks"))
    assert not is_farewell(prepared("thanks, but it is broken"))
    assert says_solved(prepared("never mind"))
    assert says_solved(prepared("算了，不用退了"))
    for text in ("it is broken", "never mind the colour, can I swap it?", "算了，我想问店里有没有蓝色的"):
        assert not says_solved(prepared(text))


def test_cantonese_is_read_as_mandarin() -> None:
    assert prepared("我想搵返你哋嘅職員傾兩句") == "我想找返你们的工作人员谈两句"
    assert prepared("傾斜的系統，反駁") == "倾斜的系统，反驳"
    assert yes_or_no(prepared("冇呀")) == "no"
    assert yes_or_no(prepared("唔得")) == "no"


def test_long_and_odd_texts_take_no_time() -> None:
    began = time.perf_counter()
    for text in (
        "want " * 4_000,
        "a" * 20_000,
        "no no " * 3_000,
        "want to speak " * 1_500,
        "找" * 5_000,
        "给我" * 5_000,
    ):
        wants_person(prepared(text))
        yes_or_no(prepared(text))
    assert time.perf_counter() - began < 2
