"""The visitor's language."""

import pytest
from starlette.requests import HTTPConnection

from triage.console.web.language import translations_of
from triage.translations import LANGUAGES


@pytest.mark.parametrize(("header", "cookie", "language"), [
    ("", "", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh"), ("de,fr;q=0.9", "", "en"),
    ("de, zh;q=0.4, en;q=0.3", "", "zh"), ("zh-CN", "en", "en"), ("en", "zh", "zh"), ("en;q=x,zh", "xx", "zh"),
])  # fmt: skip
def test_the_language_is_the_visitors_choice_else_the_browsers(header, cookie, language):
    headers = [(b"accept-language", header.encode()), (b"cookie", f"triage_language={cookie}".encode())]
    assert translations_of(HTTPConnection({"type": "http", "headers": headers})).language == language
    assert language in LANGUAGES
