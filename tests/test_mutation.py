"""The tables of `make mutants` name files that exist."""

import tomllib

import pytest
from checkout import ROOT

FOLDER = ROOT / "tests" / "mutation"
GROUPS = tomllib.loads((FOLDER / "modules.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", GROUPS)
def test_groups_name_code_and_tests_that_exist(name):
    missing = [pattern for pattern in GROUPS[name]["code"] if not list(ROOT.glob(pattern))]
    missing += [path for path in GROUPS[name]["tests"] if not (ROOT / path).exists()]
    assert missing == []


def test_equivalent_mutants_name_lines_that_are_there():
    for mutant in tomllib.loads((FOLDER / "equivalent.toml").read_text("utf-8")).get("mutant", []):
        lines = [line.strip() for line in (ROOT / mutant["path"]).read_text("utf-8").splitlines()]
        assert all(line in lines for line in mutant["before"].splitlines()), mutant
        assert mutant["why"]
