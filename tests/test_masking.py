"""Credentials of addresses that are shown."""

import pytest

from triage.masking import masked, without_credentials


@pytest.mark.parametrize(
    ("shown", "of"),
    [
        ("http://**********@es:9200", "http://ann:pw@es:9200"),
        ("https://**********@es", "https://ann@es"),
        ("https://**********@es:9200/path", "https://ann:p@w@es:9200/path"),
        ("http://**********@es:9200", "http://ann:p/w?@es:9200"),
        ("http://a:9200,https://**********@b:9200", "http://a:9200,https://ann:pw@b:9200"),
        ("https://x.example/hook?token=**********&q=1", "https://x.example/hook?token=abc&q=1"),
        ("https://x.example/hook?q=1&access_token=**********", "https://x.example/hook?q=1&access_token=abc"),
        ("no answer from 'http://**********@es:9200': refused", "no answer from 'http://ann:pw@es:9200': refused"),
    ],
)
def test_user_and_password_are_masked(shown, of):
    assert without_credentials(of) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9200",
        "https://x.example:8443/@team/a:b@c",
        "https://x.example/a?monkey=1&keyboard=2",
        "mail to ann@example.com",
        "http://[::1]:9200",
    ],
)
def test_addresses_without_credentials_stay(text):
    assert without_credentials(text) == text


def test_lists_and_tables_are_masked_too():
    given = {"a": ["http://u:p@h", 1], "b": ("http://u:p@h", {"c": "http://u:p@h"}), "d": None}
    hidden = "http://**********@h"
    assert masked(given) == {"a": [hidden, 1], "b": [hidden, {"c": hidden}], "d": None}
