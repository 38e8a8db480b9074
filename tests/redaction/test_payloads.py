"""Attributes and dead-letter payloads."""

import json

import pytest

from triage.config import RedactionSettings
from triage.redaction import Redactor

REDACTOR = Redactor(RedactionSettings())


def test_attributes_lose_personal_values_and_keep_the_rest_with_its_type() -> None:
    redacted = REDACTOR.redact_attributes(
        {
            "app_version": "10.0.1",
            "amount": 12.5,
            "count": 3,
            "vip": True,
            "note": "mail a@b.com",
            "number": 13812345678,
            "card": 4111111111111111,
            "customer.name": "Li Wei",
            "product.name": "Kettle",
            "shippingAddress": "1 Main St",
            "手机号": "123",
            "empty_name": "",
            "password": "",
        }
    )
    assert redacted == {
        "app_version": "10.0.1",
        "amount": 12.5,
        "count": 3,
        "vip": True,
        "note": "mail [EMAIL]",
        "number": "[PHONE]",
        "card": "[REDACTED]",
        "customer.name": "[REDACTED]",
        "product.name": "Kettle",
        "shippingAddress": "[REDACTED]",
        "手机号": "[REDACTED]",
        "empty_name": "",
        "password": "",
    }


def test_attribute_keys_are_redacted_and_stay_apart() -> None:
    redacted = REDACTOR.redact_attributes({"a@b.com": 1, "c@d.com": 2, "x": 3})
    assert redacted == {"[EMAIL]": 1, "[EMAIL]#2": 2, "x": 3}


@pytest.mark.parametrize("key", ["user_id", "customerId", "user.id", "buyer_id", "openid", "会员号"])
def test_ids_of_people_become_hashes_that_still_group(key: str) -> None:
    first = REDACTOR.redact_attributes({key: "42"})[key]
    assert str(first).startswith("v1:")
    assert first == REDACTOR.redact_attributes({key: 42})[key]
    assert first != REDACTOR.redact_attributes({key: "43"})[key]
    assert REDACTOR.redact_attributes({key: first}) == {key: first}


@pytest.mark.parametrize("key", ["order.id", "product_id", "id", "brand", "store.name", "region", "channel"])
def test_names_and_ids_of_things_stay(key: str) -> None:
    assert REDACTOR.redact_attributes({key: "kettle-7"}) == {key: "kettle-7"}


def test_a_json_payload_stays_json_and_its_author_hash_is_the_records_own() -> None:
    payload = {
        "text": "电话13812345678",
        "source": "shop",
        "author_id": "u-1",
        "created_at": 1732243200000,
        "attributes": {"user": {"id": 5, "name": "x"}, "tags": ["a@b.com", 7], "ok": None},
        "c@d.com": 1,
    }
    redacted = json.loads(REDACTOR.redact_json(json.dumps(payload).encode()))
    assert redacted == {
        "text": "电话[PHONE]",
        "source": "shop",
        "author_id": REDACTOR.author_hash("shop", "u-1"),
        "created_at": 1732243200000,
        "attributes": {"user": "[REDACTED]", "tags": ["[EMAIL]", 7], "ok": None},
        "[EMAIL]": 1,
    }


BROKEN = [
    '{"text": "call 13812345678", "author_id": "u-secret", "x": ',
    '{"author_id": "u-sec\\"ret-tail',
    "{'author_id': 'u-secret'}",
    "author_id=u-secret&text=13812345678",
    "author_id: u-secret",
    '{"user": {"name": "secret", "email": "secret\\u0040b.com"',
    '{"text": "\\u7535\\u8bdd13812345678secret@x.com"',
    '{"text": "x", "customerName":"secret person"}}}',
    '[{"phone":"secret"',
]


@pytest.mark.parametrize("payload", BROKEN)
def test_broken_json_leaks_neither_entities_nor_telling_fields(payload: str) -> None:
    redacted = REDACTOR.redact_json(payload)
    for secret in ("13812345678", "secret", "ret-tail"):
        assert secret not in redacted
    assert REDACTOR.redact_json(redacted) == redacted


@pytest.mark.parametrize(
    "payload", ["", "null", "[]", "3", '"text"', "{}", "plain words, no JSON", '{"a": [1, 2.5, null, true]}']
)
def test_what_is_not_personal_comes_through(payload: str) -> None:
    redacted = REDACTOR.redact_json(payload)
    assert redacted.replace(" ", "") == payload.replace(" ", "")


def test_bytes_that_are_not_utf8_are_described() -> None:
    assert REDACTOR.redact_json(b"\xff\xfe13812345678") == "[13 bytes that are not UTF-8]"


@pytest.mark.parametrize("payload", ['{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_endless_nesting_does_not_stop_a_worker(payload: str) -> None:
    assert "13812345678" not in REDACTOR.redact_json(payload + "13812345678")


def test_nesting_beyond_reason_is_cut() -> None:
    payload = '{"a":' * 80 + '"13812345678"' + "}" * 80
    assert "[REDACTED]" in REDACTOR.redact_json(payload)


def test_lone_surrogates_come_out_as_valid_utf8() -> None:
    REDACTOR.redact_json('{"a":"\\ud800"}').encode()
    REDACTOR.redact_json('{"a":"\\ud83d\\ude21 \\ud800').encode()


def nested(levels: int) -> str:
    return '{"a":' * levels + "7" + "}" * levels


def test_payloads_are_kept_sixty_four_levels_deep() -> None:
    assert REDACTOR.redact_json(nested(64)) == nested(64)
    assert (
        REDACTOR.redact_json(nested(65))
        == nested(64).replace("7", '"[REDACTED]"').replace('{"a":' * 64, '{"a":' * 65) + "}"
    )


def test_only_the_record_s_own_author_is_hashed_with_its_source() -> None:
    own, other = REDACTOR.author_hash("shop", "u-12345"), REDACTOR.author_hash("attributes.authorid", "u-12345")
    payload = {"source": "shop", "author_id": "u-12345", "x": {"source": "other", "author_id": "u-12345"}}
    redacted = json.loads(REDACTOR.redact_json(json.dumps(payload)))
    assert (redacted["author_id"], redacted["x"]["author_id"]) == (own, other)
    without = json.loads(REDACTOR.redact_json(json.dumps({"source": 5, "author_id": "u-12345"})))
    assert without["author_id"] == REDACTOR.author_hash(None, "u-12345")
    assert REDACTOR.redact_attributes({"x.author_id": "u-12345"}) == {"x.author_id": other}


def test_numbers_are_people_s_ids_by_their_digits() -> None:
    assert REDACTOR.redact_attributes({"user_id": 42.0}) == REDACTOR.redact_attributes({"user_id": 42})
    assert REDACTOR.redact_attributes({"user_id": 4.5}) != REDACTOR.redact_attributes({"user_id": 4})
    assert REDACTOR.redact_attributes({"user_id": True, "customer.name": False}) == {
        "user_id": True,
        "customer.name": False,
    }
    assert REDACTOR.redact_attributes({"number": 13812345678.0}) == {"number": "[PHONE]"}


def test_what_is_redacted_already_stays() -> None:
    done = {"user_id": "[EMAIL]", "customer.name": "[HANDLE]"}
    assert REDACTOR.redact_attributes(done) == done
    assert REDACTOR.redact_attributes({"a@b.com": 1, "c@d.com": 2, "e@f.com": 3}) == {
        "[EMAIL]": 1,
        "[EMAIL]#2": 2,
        "[EMAIL]#3": 3,
    }


def test_broken_json_keeps_its_quotes_and_undoes_its_escapes() -> None:
    assert REDACTOR.redact_json("{'name': 'Li', 'x': 'a\\u0041\\/\\n'") == "{'name': '[REDACTED]', 'x': 'aA/ '"
    assert REDACTOR.redact_json('{"phone":555,"ok":1') == '{"phone":[REDACTED],"ok":1'
    assert REDACTOR.redact_json('{"x": "\\ud83d\\ude00"') == '{"x": "😀"'
