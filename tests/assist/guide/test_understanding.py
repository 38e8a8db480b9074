"""Wishes of both languages: amounts, units, values, brands, negation, answers to questions."""

import guides
import pytest

from triage.assist.guide.constraints import combined, fits
from triage.assist.guide.folding import folded
from triage.assist.guide.notation import read, written


@pytest.fixture(scope="module")
def understanding():
    return guides.snapshot().understanding


def wishes(understanding, text, language="en", asked=None):
    return sorted(written([each]) for each in understanding.read(text, language, asked).constraints)


PRICES = [
    ("under $50", "en", ["price<=50 USD"]),
    ("no more than 1,200 dollars", "en", ["price<=1200 USD"]),
    ("over 300 euros", "en", ["price>=300 EUR"]),
    ("between 500 and 900 USD", "en", ["price<=900 USD", "price>=500 USD"]),
    ("$1-2k", "en", ["price<=2000 USD", "price>=1000 USD"]),
    ("not over 80", "en", ["price<=80 USD"]),
    ("about 100 dollars", "en", ["price<=120 USD", "price>=80 USD"]),
    ("300 dollars or less", "en", ["price<=300 USD"]),
    ("at least 200 bucks", "en", ["price>=200 USD"]),
    ("my budget is 40", "en", ["price<=40 USD"]),
    ("200元以下", "zh", ["price<=200 CNY"]),
    ("不超过两千块", "zh", ["price<=2000 CNY"]),
    ("一千五百元以上", "zh", ["price>=1500 CNY"]),
    ("100到200元", "zh", ["price<=200 CNY", "price>=100 CNY"]),
    ("１００～２００元", "zh", ["price<=200 CNY", "price>=100 CNY"]),
    ("预算500左右", "zh", ["price<=600 CNY", "price>=400 CNY"]),
    ("2千元以内", "zh", ["price<=2000 CNY"]),
    ("低於300元", "zh", ["price<=300 CNY"]),
    ("50美元以下", "zh", ["price<=50 USD"]),
    ("三五个朋友推荐的", "zh", []),
    ("The AirFry 300 is 2 years old", "en", []),
]


@pytest.mark.parametrize(("text", "language", "expected"), PRICES, ids=[each[0] for each in PRICES])
def test_prices(understanding, text, language, expected):
    assert wishes(understanding, text, language) == expected


NUMBERS = [
    ("at least 1.5 litres", "en", ["capacity>=1.5"]),
    ("lighter than 900 grams", "en", ["weight<=0.9"]),
    ("14 inch or smaller", "en", ["screen<=14"]),
    ("a 10 inch screen", "en", ["screen<=11", "screen>=9"]),
    ("1 TB or more", "en", ["storage>=1000"]),
    ("续航10小时以上", "zh", ["battery>=10"]),
    ("500毫升以内", "zh", ["capacity<=0.5"]),
    ("三斤以下", "zh", ["weight<=1.5"]),
]


@pytest.mark.parametrize(("text", "language", "expected"), NUMBERS, ids=[each[0] for each in NUMBERS])
def test_numbers_in_units_of_attributes(understanding, text, language, expected):
    assert wishes(understanding, text, language) == expected


VALUES = [
    ("a black phone", "en", ["category=phone", "colour=black"]),
    ("black or white", "en", ["colour=black,white"]),
    ("not black", "en", ["colour!=black"]),
    ("no black or white", "en", ["colour!=black,white"]),
    ("I don't want red, blue is fine", "en", ["colour!=red", "colour=blue"]),
    ("anything but a glass kettle", "en", ["category=kettle", "material!=glass"]),
    ("headphones that are wireless", "en", ["category=headphones", "wireless=yes"]),
    ("wired headphones", "en", ["category=headphones", "wireless=no"]),
    ("not from Kestrel", "en", ["brand!=Kestrel"]),
    ("why not black?", "en", ["colour=black"]),
    ("redder phones", "en", ["category=phone"]),
    ("不要黑色的手機", "zh", ["category=phone", "colour!=black"]),
    ("除了白色都可以", "zh", ["colour!=white"]),
    ("不要红色和粉色", "zh", ["colour!=red,pink"]),
    ("黑色的不要，要白色", "zh", ["colour!=black", "colour=white"]),
    ("别是塑料的水壶", "zh", ["category=kettle", "material!=plastic"]),
    ("有没有蓝色的", "zh", ["colour=blue"]),
    ("红隼的笔记本", "zh", ["brand=Kestrel", "category=laptop"]),
    ("華林的無線耳機", "zh", ["brand=Hualin", "category=headphones", "wireless=yes"]),
]


@pytest.mark.parametrize(("text", "language", "expected"), VALUES, ids=[each[0] for each in VALUES])
def test_values_brands_and_negation(understanding, text, language, expected):
    assert wishes(understanding, text, language) == expected


ANSWERS = [
    ("yes please", "en", "waterproof", ["waterproof=yes"]),
    ("no", "en", "waterproof", ["waterproof!=yes"]),
    ("不用", "zh", "waterproof", ["waterproof!=yes"]),
    ("200", "en", "price", ["price<=200 USD"]),
    ("up to 1.5", "en", "capacity", ["capacity<=1.5"]),
    ("top", "en", "category", ["category=top"]),
    ("top quality", "en", None, []),
]


@pytest.mark.parametrize(("text", "language", "asked", "expected"), ANSWERS)
def test_bare_answers_count_for_the_question_asked_before(understanding, text, language, asked, expected):
    assert wishes(understanding, text, language, asked) == expected


@pytest.mark.parametrize(
    ("text", "language"), [("I don't mind", "en"), ("any", "en"), ("都可以", "zh"), ("随便", "zh")]
)
def test_a_question_can_be_left_open(understanding, text, language):
    found = understanding.read(text, language, "colour")
    assert (found.open, found.constraints) == (True, [])
    assert not understanding.read(text, language, None).open


def test_the_customers_words_are_quoted(understanding):
    found = understanding.read("Not Black, and UNDER $50 please", "en").constraints
    assert {each.name: each.text for each in found} == {"price": "UNDER $50", "colour": "Black"}


def test_texts_keep_their_length_when_folded():
    text = "ＡＢ İß 手機’s ﬁ"
    assert len(folded(text)) == len(text)


@pytest.mark.parametrize(
    "text", ["", "?", "万", "十" * 500, "$" * 500, "1" * 400 + "元", "9,9,9,,", "-5 元", "\ud800 50 元以下"]
)
def test_hostile_texts_are_read(understanding, text):
    understanding.read(text, "zh", "price")


def test_a_newer_wish_replaces_the_older_one():
    def after(before, new):
        return written(combined(read(before), read(new)))

    assert after("colour=black; price<=300 USD", "colour=white") == "price<=300 USD; colour=white"
    assert after("price<=300 USD", "price<=500 USD") == "price<=500 USD"
    assert after("price>=400 USD", "price<=300 USD") == "price<=300 USD"
    assert after("price>=100 USD", "price<=300 USD") == "price>=100 USD; price<=300 USD"
    assert after("colour=black,white", "colour!=white") == "colour=black; colour!=white"
    assert after("colour!=white", "colour!=red") == "colour!=white,red"
    assert after("colour!=white", "colour=white") == "colour=white"


def test_items_that_come_in_other_values_too_are_not_refused():
    item = guides.item("a", choices={"colour": ["red", "blue"]}, prices={"USD": 20.0})
    for text, expected in (
        ("colour!=red", True), ("colour!=red,blue", False), ("material!=glass", True), ("material=glass", False),
        ("price<=20 USD", True), ("price<=20 CNY", False), ("weight>=1", False), ("brand!=Kestrel", True),
    ):  # fmt: skip
        assert fits(item, read(text)[0]) == expected, text


@pytest.mark.parametrize("text", ["price<300", "colour", "=x", "price<=abc"])
def test_other_notations_are_refused(text):
    with pytest.raises(ValueError, match=r"constraint|float"):
        read(text)
