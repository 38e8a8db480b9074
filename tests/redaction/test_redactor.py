"""Entities that are found, replaced, and left alone."""

import pytest

from triage.config import RedactionSettings
from triage.errors import ConfigError
from triage.redaction import KINDS, Redactor
from triage.types import Span

REDACTOR = Redactor(RedactionSettings())


def found(text: str, redactor: Redactor = REDACTOR) -> list[tuple[str, str]]:
    """Label and text of every entity, with the original text: nothing is redacted."""
    keeping = Redactor(RedactionSettings(kinds=[]))
    result = (keeping if redactor is REDACTOR else redactor).redact(text)
    return [(span.label, result.text[span.start : span.end]) for span in result.spans]


POSITIVES = [
    # email
    ("mail me at john.doe+x@mail.example.co.uk.", [("email", "john.doe+x@mail.example.co.uk")]),
    ("邮箱zhang@qq.com请", [("email", "zhang@qq.com")]),
    ("邮箱ｚｈａｎｇ＠ｑｑ．ｃｏｍ请", [("email", "ｚｈａｎｇ＠ｑｑ．ｃｏｍ")]),
    ("<mailto:a_b@example.org>", [("email", "a_b@example.org")]),
    ("O'Neil@example.com wrote", [("email", "O'Neil@example.com")]),
    ("josé@exämple.de", [("email", "josé@exämple.de")]),
    ("li.wei@公司.cn", [("email", "li.wei@公司.cn")]),
    ("john (at) gmail (dot) com", [("email", "john (at) gmail (dot) com")]),
    ("jane at foo dot org", [("email", "jane at foo dot org")]),
    ("john @ gmail.com please", [("email", "john @ gmail.com")]),
    # phone
    ("手机13812345678请联系", [("phone", "13812345678")]),
    ("手机１３８１２３４５６７８请", [("phone", "１３８１２３４５６７８")]),
    ("138-1234-5678", [("phone", "138-1234-5678")]),
    ("138 1234 5678", [("phone", "138 1234 5678")]),
    ("+86 138 1234 5678", [("phone", "+86 138 1234 5678")]),
    ("(+86)13812345678", [("phone", "(+86)13812345678")]),
    ("8613812345678", [("phone", "8613812345678")]),
    ("请打010-62345678转801", [("phone", "010-62345678转801")]),
    ("(0755)8888 8888", [("phone", "(0755)8888 8888")]),
    ("01062345678", [("phone", "01062345678")]),
    ("(415) 555-2671", [("phone", "(415) 555-2671")]),
    ("415-555-2671 ext. 12", [("phone", "415-555-2671 ext. 12")]),
    ("415.555.2671", [("phone", "415.555.2671")]),
    ("415 555 2671", [("phone", "415 555 2671")]),
    ("call 4155552671 now", [("phone", "4155552671")]),
    ("my number: 4155552671", [("phone", "4155552671")]),
    ("+44 20 7946 0958 12 days", [("phone", "+44 20 7946 0958")]),
    ("0044 20 7946 0958", [("phone", "0044 20 7946 0958")]),
    ("+1 (415) 555-2671", [("phone", "+1 (415) 555-2671")]),
    ("phone: 555-1234", [("phone", "555-1234")]),
    ("call me on 07911 123456 please", [("phone", "07911 123456")]),
    ("order 5 by phone 13812345678", [("phone", "13812345678")]),
    # card
    ("card 4111 1111 1111 1111.", [("card", "4111 1111 1111 1111")]),
    ("4111-1111-1111-1111x", [("card", "4111-1111-1111-1111")]),
    ("卡号6222020111122220008有误", [("card", "6222020111122220008")]),
    ("amex 378282246310005", [("card", "378282246310005")]),
    ("my card number is 4111 1111 1111 1112", [("card", "4111 1111 1111 1112")]),
    ("order 12, 5555555555554444", [("card", "5555555555554444")]),
    # iban
    ("IBAN GB82 WEST 1234 5698 7654 32 please", [("iban", "GB82 WEST 1234 5698 7654 32")]),
    ("de89370400440532013000", [("iban", "de89370400440532013000")]),
    # national id
    ("身份证11010519491231002X了", [("national_id", "11010519491231002X")]),
    ("110105 19491231 002x", [("national_id", "110105 19491231 002x")]),
    ("SSN 536-90-4399.", [("national_id", "536-90-4399")]),
    ("my social security number is 536904399", [("national_id", "536904399")]),
    ("NI number AB 12 34 56 C", [("national_id", "AB 12 34 56 C")]),
    ("HKID A123456(3)", [("national_id", "A123456(3)")]),
    ("护照号E12345678", [("national_id", "E12345678")]),
    ("身份证号110105194912310021", [("national_id", "110105194912310021")]),
    ("CPF 390.533.447-05", [("national_id", "390.533.447-05")]),
    ("my id 440301199003074511", [("national_id", "440301199003074511")]),
    ("account number 12345678", [("iban", "12345678")]),
    ("转到账号 6228 4800 1234", [("iban", "6228 4800 1234")]),
    # ip
    ("from 203.0.113.7, twice", [("ip", "203.0.113.7")]),
    ("地址2001:db8::8a2e:370:7334请", [("ip", "2001:db8::8a2e:370:7334")]),
    # handle
    ("@zhang_san hello", [("handle", "@zhang_san")]),
    ("@john.doe and @a1@b2", [("handle", "@john.doe"), ("handle", "@a1@b2")]),
    ("thanks @AmazonHelp!", [("handle", "@AmazonHelp")]),
    ("@小米客服 你们的手机", [("handle", "@小米客服")]),
    ("求助＠小米客服，手机坏了", [("handle", "＠小米客服")]),
    ("微信号：zhang_123", [("handle", "zhang_123")]),
    ("加QQ12345678吧", [("handle", "12345678")]),
    # order and tracking numbers
    ("order #12345", [("order_id", "12345")]),
    ("Order No. A-1234-5678 is late", [("order_id", "A-1234-5678")]),
    ("my order number is 4155552671", [("order_id", "4155552671")]),
    ("订单号：202611220001", [("order_id", "202611220001")]),
    ("订单号202611220001还没到", [("order_id", "202611220001")]),
    ("订单 E20261122001", [("order_id", "E20261122001")]),
    ("订单编号为17612345678", [("order_id", "17612345678")]),
    ("单号998877", [("order_id", "998877")]),
    ("403-4567890-1234567", [("order_id", "403-4567890-1234567")]),
    ("1Z999AA10123456784 lost", [("tracking_id", "1Z999AA10123456784")]),
    ("tracking number AB12345678", [("tracking_id", "AB12345678")]),
    ("快递单号 SF1234567890123", [("tracking_id", "SF1234567890123")]),
    ("运单号：773012345678901", [("tracking_id", "773012345678901")]),
    ("9400 1000 0000 0000 0000 00", [("tracking_id", "9400 1000 0000 0000 0000 00")]),
    ("RR473124829CN", [("tracking_id", "RR473124829CN")]),
    # money
    ("paid $12.99 twice", [("money", "$12.99")]),
    ("US$1,299.00", [("money", "US$1,299.00")]),
    ("USD 50", [("money", "USD 50")]),
    ("£30 €12,50", [("money", "£30"), ("money", "€12,50")]),
    ("￥300", [("money", "￥300")]),
    ("扣了300元", [("money", "300元")]),
    ("花了300块", [("money", "300块")]),
    ("3.5万元", [("money", "3.5万元")]),
    ("RMB 200", [("money", "RMB 200")]),
    ("三百块钱", [("money", "三百块钱")]),
    ("50 bucks", [("money", "50 bucks")]),
    # date
    ("on 2026-11-22 it", [("date", "2026-11-22")]),
    ("12/03/2026", [("date", "12/03/2026")]),
    ("since March 3rd", [("date", "March 3rd")]),
    ("3 Mar 2026", [("date", "3 Mar 2026")]),
    ("May 5, 2026", [("date", "May 5, 2026")]),
    ("11月22日下单", [("date", "11月22日")]),
    ("2026年11月22日", [("date", "2026年11月22日")]),
    ("十一月二十二号", [("date", "十一月二十二号")]),
    # url
    ("see https://shop.example/p/1.", [("url", "https://shop.example/p/1")]),
    ("(www.example.com/a)", [("url", "www.example.com/a")]),
    ("短链t.cn/A6abc请看", [("url", "t.cn/A6abc")]),
]


@pytest.mark.parametrize(("text", "entities"), POSITIVES)
def test_finds(text: str, entities: list[tuple[str, str]]) -> None:
    assert found(text) == entities


NEGATIVES = [
    "拨打4008206666没人接",  # service numbers belong to companies
    "1-800-555-0199",
    "iPhone 15 Pro 256",
    "iPhone 15 Pro 256GB 2023 款",
    "I paid 1,234,567.89 and 3.14159265358979",
    "in 2023-2024 and 2026",
    "open 10:30-12:45, 24/7",
    "at 12:30:45 or 9-5",
    "model 123-4567",
    "resolution 1920 1080 60",
    "version 10.0.19041.1",
    "固件版本1.2.3.4",
    "std::cout and a::b",
    "yesterday, last Tuesday",
    "you may 3 times",
    "order 2 pizzas",
    "orders since 2023 were fine",
    "订单2023年的",
    "see you @ 5pm",
    "look@me and a@b",
    "1732243200 seconds",
    "0.4111111111111111 of it",
    "4111 1111 1111 1112",
    "buy at target.com today",
    "ISBN 9787111128069",
    "serial 4155552671",
    "3块电池",
    "单元三楼",
    "order is late",
    "tracking says delivered",
    "weighs 125 pounds",
    "250 500 1000 ml",
    "单据100000202611220001",
    "call 12315 or 95588",
    "550e8400-e29b-41d4-a716-446655440000",
    "size 38 40 42 44 46 48 50",
    "100,000 people, 99.99%",
    "￥ sign alone, $ too",
]


@pytest.mark.parametrize("text", NEGATIVES)
def test_leaves_alone(text: str) -> None:
    assert found(text) == []
    assert REDACTOR.redact(text).text == text


def test_redacts_the_default_kinds_and_keeps_the_others() -> None:
    result = REDACTOR.redact("Order #12345: call 13812345678 or a@b.com, paid $5 on 2026-11-22")
    assert result.text == "Order #12345: call [PHONE] or [EMAIL], paid $5 on 2026-11-22"
    assert result.changed
    assert result.spans == [
        Span(7, 12, "order_id", 1.0, "rule"),
        Span(19, 26, "phone", 1.0, "rule"),
        Span(30, 37, "email", 1.0, "rule"),
        Span(44, 46, "money", 1.0, "rule"),
        Span(50, 60, "date", 1.0, "rule"),
    ]


def test_offsets_count_code_points_beyond_the_basic_plane_and_past_invisible_characters() -> None:
    result = REDACTOR.redact("😡😡\u200b订单号：1\u200b2345，电话１３８\u200b１２３４５６７８")
    assert result.text == "😡😡\u200b订单号：1\u200b2345，电话[PHONE]"
    assert [(span.label, result.text[span.start : span.end]) for span in result.spans] == [
        ("order_id", "1\u200b2345"),
        ("phone", "[PHONE]"),
    ]


@pytest.mark.parametrize("digits", ["1️⃣3️⃣8️⃣12345678", "①③⑧12345678", "١٣٨12345678", "𝟏𝟑𝟖12345678"])
def test_disguised_digits_are_digits(digits: str) -> None:
    assert REDACTOR.redact(f"加我{digits}谢谢").text == "加我[PHONE]谢谢"


def test_a_number_next_to_another_is_found_after_the_other_is_replaced() -> None:
    text = REDACTOR.redact("4111111111111111 5555555555554444 13812345678 13912345678").text
    assert "1111" not in text
    assert "5678" not in text


def test_a_placeholder_from_upstream_is_an_entity() -> None:
    result = REDACTOR.redact("hi [EMAIL] and [REDACTED]")
    assert not result.changed
    assert result.spans == [Span(3, 10, "email", 1.0, "rule")]


URLS = [
    ("https://user:pw@shop.example/p/1?email=a@b.com#x", "https://shop.example/p/1"),
    ("https://shop.example/u/a%40b.com/x", "https://shop.example/u/[EMAIL]/x"),
    ("https://shop.example/13812345678", "https://shop.example/[PHONE]"),
    ("https://shop.example/p?name=张三&phone=13812345678&x=李四", "https://shop.example/p"),
    ("http://203.0.113.7:8080/x", "http://[IP]/x"),
    (
        "https://twitter.com/john_doe/status/1234567890123456789",
        "https://twitter.com/[HANDLE]/status/1234567890123456789",
    ),
    ("https://www.linkedin.com/in/john-doe/", "https://www.linkedin.com/in/[HANDLE]/"),
    ("https://weibo.com/1234567890/Nabc", "https://weibo.com/[HANDLE]/Nabc"),
    ("https://shop.example/orders/403-4567890-1234567", "https://shop.example/orders/403-4567890-1234567"),
]


@pytest.mark.parametrize(("url", "kept"), URLS)
def test_urls_lose_what_may_be_personal(url: str, kept: str) -> None:
    result = REDACTOR.redact(f"see {url}, thanks")
    assert result.text == f"see {kept}, thanks"
    assert [(span.label, result.text[span.start : span.end]) for span in result.spans] == [("url", kept)]
    assert REDACTOR.redact_text(url) == kept


def test_kinds_and_also_choose_what_is_redacted() -> None:
    text = "order #12345 a@b.com https://x.example/y"
    only = Redactor(RedactionSettings(kinds=["order_id"]))
    assert only.redact_text(text) == "order #[ORDER_ID] a@b.com https://x.example/y"
    also = Redactor(RedactionSettings(also=["order_id", "url"]))
    assert also.redact_text(text) == "order #[ORDER_ID] [EMAIL] [URL]"


def test_region_decides_what_a_national_number_is() -> None:
    text = "reach us: 020 7946 0958"
    bare = "02079460958 thanks"
    british = Redactor(RedactionSettings(region="GB"))
    assert british.redact_text(text) == "reach us: [PHONE]"
    assert british.redact_text(bare) == "[PHONE] thanks"
    french = Redactor(RedactionSettings(region="FR"))
    assert french.redact_text("06 12 34 56 78") == "[PHONE]"
    assert REDACTOR.redact_text("06 12 34 56 78") == "06 12 34 56 78"


def test_wrong_settings_are_named_together_with_the_known_kinds() -> None:
    with pytest.raises(ConfigError) as caught:
        Redactor(RedactionSettings(kinds=["emial"], also=["fon"], region="XX"))
    assert len(caught.value.problems) == 3
    message = str(caught.value)
    for part in ("redaction.kinds: 'emial'", "redaction.also: 'fon'", "redaction.region: 'XX'", *KINDS):
        assert part in message


def test_author_hash_is_keyed_versioned_and_separates_its_parts() -> None:
    first = REDACTOR.author_hash("shop", "42")
    assert first == REDACTOR.author_hash("shop", "42")
    assert first.startswith("v1:")
    assert len(first) == 35
    other_key = Redactor(RedactionSettings(author_key="another-key-of-16", author_key_version="2"))  # type: ignore[arg-type]
    hashes = {
        first,
        REDACTOR.author_hash("shop4", "2"),
        REDACTOR.author_hash(None, "42"),
        REDACTOR.author_hash("shop", "43"),
        "v1:" + other_key.author_hash("shop", "42").removeprefix("v2:"),
    }
    assert len(hashes) == 5


def test_author_hash_takes_any_string() -> None:
    assert REDACTOR.author_hash("s", "\ud800").startswith("v1:")
