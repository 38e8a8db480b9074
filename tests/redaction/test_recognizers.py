"""Finders one by one, on texts at the edge of what they take."""

import re

import pytest

from triage.redaction.normalization import normalize
from triage.redaction.recognizers import accounts, amounts, contact, orders, secrets, urls
from triage.redaction.recognizers.common import MASK, cued, mask, merged, scan
from triage.redaction.recognizers.phones import PhoneFinder


def texts(finder, text):
    return [text[start:end] for start, end in sorted(finder(text))]


# Helpers


def test_overlapping_spans_are_merged_and_touching_ones_are_not():
    assert merged([(5, 9), (0, 3), (2, 4)]) == [(0, 4), (5, 9)]
    assert merged([(0, 9), (2, 4), (8, 12), (20, 21)]) == [(0, 12), (20, 21)]
    assert merged([(0, 3), (3, 5)]) == [(0, 3), (3, 5)]
    assert merged([(0, 1), (4, 9), (5, 6)]) == [(0, 1), (4, 9)]


def test_a_mask_keeps_the_length_and_what_is_around():
    assert mask("abcdefg", [(1, 3), (4, 5)]) == f"a{MASK * 2}d{MASK}fg"
    assert mask("abc", []) == "abc"


def test_after_a_refused_match_the_search_goes_on_one_character_further():
    assert scan(re.compile("aba"), "ababa", lambda match: match.start() > 0) == [(2, 5)]
    assert scan(re.compile("aba"), "ababa", lambda _: True) == [(0, 3)]


def test_a_cue_is_looked_for_in_the_forty_characters_before():
    cue = re.compile("cue *$")
    assert cued("cue" + " " * 37 + "1", 40, cue)
    assert not cued("cue" + " " * 38 + "1", 41, cue)
    assert cued("cue1", 3, cue)
    assert not cued("1cue", 0, cue)


# Accounts


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        ("4222222222222", ["4222222222222"]),  # 13 digits
        ("422222222222", []),
        ("6304000000000000000 x", ["6304000000000000000"]),  # 19 digits
        ("63040000000000000000", []),
        ("4111111111111111", ["4111111111111111"]),
        ("4111111111111112", []),
        ("card number 4111111111111112", ["4111111111111112"]),
        ("card 0111111111111112", ["0111111111111112"]),
        ("0.4111111111111111", []),
        ("10.4111111111111111", []),
        ("3456 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", ["4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"]),
        ("1111 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
        ("41 11 11 11 11 11 11 11", []),  # eight groups
    ],
)
def test_cards(text, cards):
    assert texts(accounts.find_card, text) == cards


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GB82 WEST 1234 5698 7654 32", ["GB82 WEST 1234 5698 7654 32"]),
        ("gb82west12345698765432 x", ["gb82west12345698765432"]),
        ("GB82 WEST 1234 5698 7654 33", []),
        (
            "DE89370400440532013000, DE89 3704 0044 0532 0130 00",
            ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00"],
        ),
        ("NO9386011117947", ["NO9386011117947"]),
        ("XX82 WEST 1234 5698 7654 32", []),
        ("GB82 W E S T 1 2 3 4 5 6 9 8 7 6 5 4 3 2", ["GB82 W E S T 1 2 3 4 5 6 9 8 7 6 5 4 3 2"]),
        ("GB82 W E S T 1 2 3 4 5 6 9  8  7  6  5  4  3  2", ["GB82 W E S T 1 2 3 4 5 6 9  8  7  6  5  4  3  2"]),
        ("GB82 WEST 1234/5698 7654 32", ["GB82 WEST 1234/5698 7654 32"]),
        ("GB82 WEST 1234;5698 7654 32", []),
        ("GB82 WEST 1234 5698 7654 3", []),
        ("A GB82.WEST.1234.5698.7654.32.", ["GB82.WEST.1234.5698.7654.32"]),
    ],
)
def test_ibans(text, found):
    assert texts(accounts.find_iban, text) == found


def test_account_numbers_have_seven_to_twenty_digits_after_a_word_for_one():
    assert texts(accounts.find_account, "account 123456") == []
    assert texts(accounts.find_account, "account 1234567") == ["1234567"]
    assert texts(accounts.find_account, "sort code: 12-34-56-78") == ["12-34-56-78"]
    assert texts(accounts.find_account, "account " + "1" * 20) == ["1" * 20]
    assert texts(accounts.find_account, "account " + "1" * 21) == []
    assert texts(accounts.find_account, "discount 1234567") == []


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("11010519491231002X", ["11010519491231002X"]),
        ("110105194912310029", ["110105194912310029"]),  # mistyped: province and birthday are plausible
        ("110105192912310029", []),  # born before 1930, and the checksum is wrong
        ("110105201312310028", []),  # after 2012
        ("990105194912310021", []),
        ("123-45-6789", ["123-45-6789"]),
        ("000-45-6789", []),
        ("912-50-6789", ["912-50-6789"]),
        ("912-49-6789", []),
        ("529.982.247-25", ["529.982.247-25"]),
        ("529.982.247-26", []),
        ("RSSMRA85T10A562S", ["RSSMRA85T10A562S"]),
        ("RSSMRA85T10A562T", []),
        ("2341 2341 2346", ["2341 2341 2346"]),
        ("2341 2341 2347", []),
        ("passport E12345678", ["E12345678"]),
    ],
)
def test_national_ids(text, ids):
    assert texts(accounts.find_national_id, text) == ids


def test_a_mistyped_resident_number_begins_with_a_province():
    """Of two check digits at most one is right, so that both are found only where the province is known."""
    found = [
        code
        for code in range(10, 100)
        if all(accounts.find_national_id(f"{code}010519491231{digits}") for digits in ("0021", "0022"))
    ]
    north, east, south = [*range(11, 16), *range(21, 24)], [*range(31, 38)], [*range(41, 47)]
    assert found == [*north, *east, *south, *range(50, 55), *range(61, 66), 71, 81, 82, 83]


@pytest.mark.parametrize(("year", "found"), [(1929, False), (1930, True), (2012, True), (2013, False)])
def test_a_mistyped_resident_number_is_an_adult_s(year, found):
    numbers = [f"110105{year}1231{digits}" for digits in ("0021", "0022")]
    assert all(accounts.find_national_id(number) for number in numbers) is found


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("AB 12 34 56 C", ["AB 12 34 56 C"]),
        ("BG 12 34 56 C", []),
        ("ZZ123456A", []),
        ("A123456789", ["A123456789"]),  # Taiwan
        ("A123456788", []),
        ("F131104093", ["F131104093"]),
        ("A123456(3)", ["A123456(3)"]),  # Hong Kong
        ("A123456(4)", []),
        ("AB987654(3)", ["AB987654(3)"]),
        ("AB987654(2)", []),
    ],
)
def test_lettered_ids(text, ids):
    assert texts(accounts.find_lettered_id, text) == ids


# Contact


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("203.0.113.7", ["203.0.113.7"]),
        ("1.2.3.4", []),
        ("server 1.2.3.4", ["1.2.3.4"]),
        ("10.20.30.99", []),
        ("10.20.30.100", ["10.20.30.100"]),
        ("version 203.0.113.7", []),
        ("256.1.1.1", []),
        ("2001:db8::1", ["2001:db8::1"]),
        ("at 2001:db8:0:0:0:0:0:1: it", ["2001:db8:0:0:0:0:0:1"]),
        ("2001:db8:85a3:1234::", ["2001:db8:85a3:1234::"]),
        ("12::30", []),
        ("::12345", []),
        ("10:20:30", []),
        ("::1", []),
        ("2001:db8:1", []),
        ("a::bcde", ["a::bcde"]),
        ("a::bcd", []),
    ],
)
def test_addresses(text, found):
    assert texts(contact.find_ip, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'a@b.com'", ["a@b.com'"[:-1]]),
        ("--a@b.com", ["a@b.com"]),
        ("a@203.0.113.7", ["a@203.0.113.7"]),
        ("4@5.6", []),
        ("a%40b.com", ["a%40b.com"]),
        ("a&#64;b.com", ["a&#64;b.com"]),
        ("a&commat;b.com", ["a&commat;b.com"]),
        ("a at b.com", []),
        ("a at b dot com", ["a at b dot com"]),
        ("@a.com", []),
    ],
)
def test_email(text, found):
    assert texts(contact.find_email, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@ab", ["@ab"]),
        ("@a", []),
        ("@123", []),
        ("a@bc", []),
        ("微信号：zhang_san1", ["zhang_san1"]),
        ("QQ 12345", ["12345"]),
        ("qq 1234", []),
        ("@张三 你好", ["@张三"]),
    ],
)
def test_handles(text, found):
    assert texts(contact.find_handle, text) == found


# Orders, secrets, amounts, phones


def test_parcel_numbers_have_their_check_digit():
    """RR473124829: 8·4+6·7+4·3+2·1+3·2+5·4+9·8+7·2 = 200, which is 2 modulo 11."""
    assert texts(orders.find_strong_tracking, "RR473124829GB") == ["RR473124829GB"]
    assert texts(orders.find_strong_tracking, "RR473124828GB") == []
    assert texts(orders.find_strong_tracking, "RR100000008GB RR100000003GB") == ["RR100000003GB"]
    assert texts(orders.find_strong_tracking, "RR000000005GB") == ["RR000000005GB"], "0 modulo 11 is written as 5"
    assert texts(orders.find_strong_tracking, "1Z999AA10123456784") == ["1Z999AA10123456784"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order 1234", []),
        ("order 12345", ["12345"]),
        ("order no 123", ["123"]),
        ("order #12", []),
        ("order #-123", ["123"]),
        ("order number AB-12", ["AB-12"]),
        ("orders 12345", []),
    ],
)
def test_orders(text, found):
    assert texts(orders.find_order, text) == found


def test_tracking_numbers_have_eight_characters():
    assert texts(orders.find_tracking, "tracking number 1234567") == []
    assert texts(orders.find_tracking, "tracking number 12345678") == ["12345678"]
    assert texts(orders.find_strong_order, "123-1234567-1234567") == ["123-1234567-1234567"]


def test_gift_cards_have_eight_characters_without_dashes():
    assert texts(secrets.find_secret, "gift card code AB12-CD34") == ["AB12-CD34"]
    assert texts(secrets.find_secret, "gift card code AB1-CD34") == []
    assert texts(secrets.find_secret, "my PIN is 4821 and I like it") == ["4821"]
    assert texts(secrets.find_secret, "4821") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("you may 3 times", []),
        ("May 3", ["May 3"]),
        ("may 3rd", ["may 3rd"]),
        ("march 2024", ["march 2024"]),
        ("5 may be late", []),
        ("5 may 2024", ["5 may 2024"]),
        ("june 3", ["june 3"]),
        ("3 june", ["3 june"]),
    ],
)
def test_dates(text, found):
    assert texts(amounts.find_date, text) == found


def test_money_with_a_sign_on_both_sides_is_found_once():
    assert texts(amounts.find_money, "$12.99 USD and 5 euros") == ["$12.99", "5 euros"]


@pytest.mark.parametrize(
    ("text", "region", "found"),
    [
        ("+44 20 7946 0958", "US", ["+44 20 7946 0958"]),
        ("+4420", "US", []),
        ("+210 1234 5678", "US", []),  # no such country
        ("+44 20 7946 0958 ext. 12", "US", ["+44 20 7946 0958 ext. 12"]),
        ("0044 20 7946 0958", "US", ["0044 20 7946 0958"]),
        ("+47 2222 2222", "US", ["+47 2222 2222"]),
        ("(+47)22222222 5", "US", ["(+47)22222222"]),
        ("138 1234 5678", "US", ["138 1234 5678"]),
        ("138 123 456 78", "US", []),
        ("(138) 1234-5678", "US", ["(138) 1234-5678"]),
        ("phone 1234567", "US", ["1234567"]),
        ("phone 123456", "US", []),
        ("13812345678", "US", ["13812345678"]),
        ("order number 13812345678", "US", []),
        ("1 3 8 1 2 3 4 5 6 7 8", "US", []),
        ("415 555 2671", "US", ["415 555 2671"]),
        ("415 555 2671", "CN", []),
        ("415 555 2671 views", "US", []),
        ("order 415 555 2671", "US", []),
        ("X4155552671", "US", []),
        ("$4155552671", "US", []),
        ("phone 2024-01-15", "US", []),
        ("01062345678", "CN", ["01062345678"]),
        ("order 01062345678", "CN", []),
        ("020 7946 0958", "GB", ["020 7946 0958"]),
    ],
)
def test_phones(text, region, found):
    assert texts(PhoneFinder(region), text) == found


# Addresses of the web


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/b.", ["https://a.example/b"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("https://a.example/b_(c)", ["https://a.example/b_(c)"]),
        ("[https://a.example/b].", ["https://a.example/b"]),
        ("https://a.example/b[c]", ["https://a.example/b[c]"]),
        ("https://a.example/b]c", ["https://a.example/b]c"]),
        ("https://a.example/b?x=)).", ["https://a.example/b?x="]),
        ("https://a.example/?q=三四 五", ["https://a.example/?q=三四"]),
        ("https://a.example/三", ["https://a.example/"]),
    ],
)
def test_urls(text, found):
    assert texts(urls.find_url, text) == found


@pytest.mark.parametrize(
    ("url", "handles", "cleaned"),
    [
        ("https://u:p@a.example/b?c#d", True, "https://a.example/b"),
        ("https://www.twitter.com/anna/status/1", True, "https://www.twitter.com/[HANDLE]/status/1"),
        ("https://mobile.twitter.com/anna", True, "https://mobile.twitter.com/[HANDLE]"),
        ("https://twitter.com/anna", False, "https://twitter.com/anna"),
        ("https://a.example/anna", True, "https://a.example/anna"),
        ("https://twitter.com", True, "https://twitter.com"),
        ("https://twitter.com/", True, "https://twitter.com/"),
        ("https://reddit.com/u/anna", True, "https://reddit.com/u/[HANDLE]"),
        ("https://reddit.com/U", True, "https://reddit.com/[HANDLE]"),
        ("https://twitter.com/Search", True, "https://twitter.com/Search"),
        ("https://twitter.com/[EMAIL]", True, "https://twitter.com/[EMAIL]"),
        ("reddit.com/r/x", True, "reddit.com/r/x"),
    ],
)
def test_cleaned_urls(url, handles, cleaned):
    assert urls.cleaned_url(url, lambda _: None, handles=handles) == cleaned


def test_parts_of_more_than_three_characters_are_looked_at_decoded():
    asked = []
    urls.cleaned_url("https://a.example/abc/ab%63d", asked.append, handles=True)
    assert sorted(asked) == ["a.example", "abcd"]
    assert urls.cleaned_url("https://a.example/abcd", lambda part: "[X]" if part == "abcd" else None, handles=True) == (
        "https://a.example/[X]"
    )


# Normalization


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\u00a0", " "),
        ("²³¹", "231"),
        ("\u2212\u2010\u2015", "---"),
        ("٠٩۰۹०९০৯๐๙", "0909090909"),
        ("⁰₉", "09"),
        ("①⑨⓵⓽❶➈", "191919"),
        ("ⓐⓩ", "az"),
        ("！～＠０Ａｚ", "！~@0Az"),
        ("￥", "¥"),
        ("𝐀𝟿", "A9"),
        ("\u3000\u2000\u200a\u202f\u205f", "     "),
        ("，。", "，。"),
        ("⓫", "⓫"),
        ("º⓪", "º⓪"),
        ("ₜ～", "t~"),
        ("﹣﹫", "-@"),
        ("電話", "电话"),
    ],
)
def test_look_alikes_become_ascii(text, plain):
    assert normalize(text).text == plain


def test_offsets_lead_back_past_what_is_invisible():
    found = normalize("é\u200ba\ufe0fb")
    assert found == ("éab", [0, 2, 4])
    assert found.original(0, 2) == (0, 3)
    assert found.original(1, 3) == (2, 5)
    assert normalize("éa").positions is None
    assert normalize("abc").original(1, 2) == (1, 2)


def test_the_private_mark_is_removed_so_that_no_text_can_forge_it():
    assert normalize(f"a{MASK}b").text == "ab"
