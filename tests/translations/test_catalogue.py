"""Both languages have the same messages, and the code asks for exactly these."""

import ast
import re
import string
from pathlib import Path

from jinja2 import Environment, nodes

import triage
from triage.alerting.wording import Wording
from triage.console.filters import FIELDS, HIDDEN_FIELDS, RANGES
from triage.translations import catalogue

PACKAGE = Path(triage.__file__).parent
FOLDERS = (PACKAGE / "console", PACKAGE / "alerting", PACKAGE / "fleet", PACKAGE / "translations")
# Kinds of values whose names come from records: looked up by names that no code spells out.
KINDS = {
    "sentiment", "channel", "severity", "alert_severity", "status", "language", "flag", "found_by", "entity", "role",
    "process", "intent", "aspect", "first_steps", "others", "subject_channel", "place_channel", "speaker", "talk_state",
    "handoff", "why_not", "audience", "article_state",
}  # fmt: skip
NAME = re.compile(r"[a-z_]+\.[a-z0-9_]*[a-z0-9]")
FILES = (".csv", ".html", ".png", ".py", ".svg")
VARIABLE = "([a-z0-9_]+)"


def _forms(message):
    return [message] if isinstance(message, str) else list(message.values())


def _values(message):
    return {field for form in _forms(message) for _, field, _, _ in string.Formatter().parse(form) if field is not None}


def test_the_languages_have_the_same_messages_with_the_same_values():
    english, chinese = catalogue("en"), catalogue("zh")
    assert set(english) == set(chinese)
    for name, message in english.items():
        assert _values(chinese[name]) == _values(message), name
    assert [name for name, message in chinese.items() if not all(_forms(message))] == []


def test_plural_forms_are_those_of_the_language():
    for name, message in catalogue("en").items():
        if not isinstance(message, str):
            assert set(message) == {"one", "other"}, name
            assert "n" in _values(message), name
    assert all(isinstance(message, str) for message in catalogue("zh").values())


def _parts(parts, constant):
    """A regular expression for a name with variable parts."""
    return "".join(re.escape(part.value) if isinstance(part, constant) else VARIABLE for part in parts)


def _strings_of_python(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, ""
        elif isinstance(node, ast.JoinedStr):
            yield "", _parts(node.values, ast.Constant)


def _strings_of_template(path):
    tree = Environment().parse(path.read_text("utf-8"))
    for node in tree.find_all((nodes.Const, nodes.Concat)):
        if isinstance(node, nodes.Concat):
            yield "", _parts(node.nodes, nodes.Const)
        elif isinstance(node.value, str):
            yield node.value, ""


def _strings():
    """All strings of the code, and patterns of those with variable parts."""
    constants, patterns = set(), set()
    for folder in FOLDERS:
        for strings, ending in ((_strings_of_python, "py"), (_strings_of_template, "html")):
            for path in folder.rglob(f"*.{ending}"):
                for constant, pattern in strings(path):
                    constants.add(constant)
                    patterns.add(pattern)
    return constants, patterns


def _used(name, constants, patterns):
    """By its name, or by a pattern whose variable parts are strings of the code."""
    found = (re.fullmatch(pattern, name) for pattern in patterns if not pattern.startswith(VARIABLE))
    return name in constants or any(match and set(match.groups()) <= constants for match in found)


def test_every_message_the_code_asks_for_is_there_and_none_is_unused():
    names, (constants, patterns) = set(catalogue("en")), _strings()
    sections = {name.split(".")[0] for name in names}
    asked = {name for name in constants if NAME.fullmatch(name) and name.split(".")[0] in sections}
    # Fields of the index and files are written alike.
    others = {*FIELDS.values(), *HIDDEN_FIELDS.values(), "intent.confidence"}
    assert {name for name in asked - names - others if not name.endswith(FILES)} == set()
    labels = {f"label.{name}" for name in Wording.__annotations__}
    by_data = {name for name in names if name.split(".")[0] in KINDS}
    assert {name for name in names - labels - by_data if not _used(name, constants, patterns)} == set()


def test_what_is_looked_up_by_lists_has_names():
    names = set(catalogue("en"))
    assert {f"label.{name}" for name in Wording.__annotations__} == {
        name for name in names if name.startswith("label.")
    }
    assert {f"range.{name}" for name in RANGES} <= names
    assert {f"column.{name}" for name in FIELDS} <= names
