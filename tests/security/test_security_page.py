"""docs/security.md names tests that exist."""

import ast
import re

import pytest
from checkout import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)))
FILES = {}
for path in (ROOT / "tests").rglob("test_*.py"):
    FILES.setdefault(path.name, []).append(path)


def _functions(path):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, functions)}


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file, name):
    assert any(name in _functions(path) for path in FILES.get(file, []))


def test_every_line_of_the_threat_model_has_a_test():
    table = PAGE.partition("| who | what |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) > 20
    assert [line for line in table if "::test_" not in line] == []


def test_every_requirement_that_is_met_says_by_what():
    table = PAGE.partition("| requirement | state |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) > 40
    for line in table:
        _, requirement, state, reason, _ = (cell.strip() for cell in line.split("|"))
        assert re.match(r"\d+\.\d", requirement), line
        assert state in {
            "met",
            "met in part",
            "met over TLS",
            "met in the chart",
            "by the owner",
            "not met",
            "does not apply",
        }
        assert reason
