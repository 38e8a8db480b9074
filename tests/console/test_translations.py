"""Messages, numbers and times as the pages write them, in every language there is."""

import ast
import re
import string
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

import triage.console
from triage.console.translations import LANGUAGES, catalogue, translations_of, words

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
MINUTE = 60_000
FOLDER = Path(triage.console.__file__).parent
EN, ZH = words("en"), words("zh")
# Kinds of values whose names come from records: looked up with `term`, by names that no code spells out.
KINDS = {
    "sentiment", "channel", "severity", "alert_severity", "status", "language", "flag", "found_by", "entity", "role",
    "process", "month", "range", "column", "fact", "action", "movers", "compare", "nav", "login", "review", "error",
    "now", "fleet",
}  # fmt: skip


def _braces(message):
    return {field for _, field, _, _ in string.Formatter().parse(message) if field}


def test_the_catalogues_say_the_same_things():
    assert set(catalogue("en")) == set(catalogue("zh"))
    for name, message in catalogue("en").items():
        assert _braces(catalogue("zh")[name]) == _braces(message), name
    assert [name for name, message in catalogue("zh").items() if not message] == []


def test_every_message_the_code_asks_for_is_there_and_none_is_unused():
    asked, parts = set(), []
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                asked.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                pattern = "".join(
                    re.escape(one.value) if isinstance(one, ast.Constant) else "[a-z0-9_]+" for one in node.values
                )
                parts.append(re.compile(pattern))
    names = set(catalogue("en"))
    literal = {name for name in asked if re.fullmatch(r"[a-z_]+\.[a-z0-9_]*[a-z0-9]", name)}
    prefixes = {name.split(".")[0] for name in names}
    missing = {name for name in literal if name.split(".")[0] in prefixes and name not in names}
    # Fields of the index are written alike.
    fields = {"sentiment.label", "intent.label", "severity.level", "severity.rules", "event.id", "intent.confidence"}
    assert missing - fields - {"explore.csv"} == set()
    unused = {
        name
        for name in names - literal
        if name.split(".")[0] not in KINDS and not any(part.fullmatch(name) for part in parts)
    }
    assert unused == set()


@pytest.mark.parametrize(("ms", "shown"), [
    (0, "under a minute"), (59_999, "under a minute"), (MINUTE, "1 min"), (60 * MINUTE, "1 h"),
    (130 * MINUTE, "2 h 10 min"), (24 * 60 * MINUTE, "1 d"), (76 * 60 * MINUTE + MINUTE, "3 d 4 h"),
    (-5, "under a minute"),
])  # fmt: skip
def test_duration(ms, shown):
    assert EN.duration(ms) == shown


@pytest.mark.parametrize(("ms", "shown"), [
    (NOW, "09:30"), (NOW - 10 * 60 * MINUTE, "Nov 21, 23:30"), (NOW - 400 * 24 * 60 * MINUTE, "Oct 18 2025, 09:30"),
])  # fmt: skip
def test_when(ms, shown):
    assert EN.when(ms, NOW) == shown


def test_times_in_chinese():
    assert ZH.duration(130 * MINUTE) == "2 小时 10 分钟"
    assert ZH.when(NOW - 10 * 60 * MINUTE, NOW) == "11月21日 23:30"


def test_numbers():
    assert (EN.number(12345), EN.number(None)) == ("12,345", "–")
    assert (EN.percent(0.914), EN.percent(None)) == ("91%", "–")
    assert [EN.quantity(value) for value in (12.34, 3.44, 2.0, 0.06)] == ["12", "3.4", "2", "0.1"]


def test_values_of_ones_own_are_shown_as_they_are():
    assert ZH.term("sentiment", "negative") == "负面"
    assert ZH.term("aspect_pair", "delivery:negative") == "物流配送 · 负面"
    assert ZH.term("brand", "Acme") == "Acme"
    assert EN.term("intent", "product_fault") == "product fault"


@pytest.mark.parametrize(("header", "cookie", "language"), [
    ("", "", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh"), ("de,fr;q=0.9", "", "en"),
    ("de, zh;q=0.4, en;q=0.3", "", "zh"), ("zh-CN", "en", "en"), ("en", "zh", "zh"), ("en;q=x,zh", "xx", "zh"),
])  # fmt: skip
def test_the_language_is_the_visitors_choice_else_the_browsers(header, cookie, language):
    headers = [(b"accept-language", header.encode()), (b"cookie", f"triage_language={cookie}".encode())]
    assert translations_of(HTTPConnection({"type": "http", "headers": headers})).language == language
    assert language in LANGUAGES
