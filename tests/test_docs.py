"""Commands on pages exist with their options, links lead somewhere, and named files exist."""

import ast
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from checkout import ROOT
from deployed import check_command

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
MODULES = {path.name for folder in ("triage", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")}
MODULES |= {path.name for path in ROOT.glob("*.py")}
SHELL = {"", "sh", "bash", "console"}
STARTS = re.compile(r"(^|\s)(\.venv(-train)?/bin/)?triage [a-z]")
PLACE = re.compile(r"\]\(([^)\s]+)\)")
FOLDERS = r"(?:triage|tests|benchmarks|deploy|docs|requirements|topics|onnx|findings|\.ci|\.github)"
ENDINGS = r"(?:py|yaml|yml|toml|md|sh|json|jsonl|txt|css)"
# A file of the repository, and perhaps one of its tests: `tests/test_x.py::test_y`.
PATH = re.compile(rf"(?<![\w./-])({FOLDERS}/[\w./-]*\.{ENDINGS})\b(?:::(\w+))?")
MODULE = re.compile(r"`(\w+\.py)`")
CLASS = re.compile(r"`([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)*)`")
TARGET = re.compile(r"\bmake ([a-z][a-z-]+)")


def shell_lines(page):
    """Lines of the page's blocks of shell commands."""
    language = None
    for line in page.read_text("utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            language = line[3:].strip() if language is None else None
        elif language in SHELL:
            yield line


def typed(page):
    """Words of each `triage` command in the page's blocks."""
    for line in shell_lines(page):
        if STARTS.search(line):
            words = shlex.split(line, comments=True)
            command = None
            for word in [*words, "&&"]:
                if word in {"&&", "|", ">", "&", ";"} or word.startswith(("$(", ">")):
                    if command is not None:
                        yield command
                    command = None
                elif command is not None:
                    command.append(word)
                elif word in {"triage", ".venv/bin/triage", ".venv-train/bin/triage"}:
                    command = []


COMMANDS = [(page.name, command) for page in PAGES if page.name != "commands.md" for command in typed(page)]


def test_commands_are_found():
    assert len(COMMANDS) > 50


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{page}: {' '.join(words)}" for page, words in COMMANDS])
def test_commands_on_pages_exist_with_their_options(page, command):
    if "..." not in command:
        check_command(command)


def anchors(page):
    for heading in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    wrong = []
    for link in PLACE.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in set(anchors(Path(target)))):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    wrong = []
    for path, function in PATH.findall(page.read_text("utf-8")):
        if path.startswith("benchmarks/results/") or "NAME" in path:  # what a benchmark writes; a name to choose
            continue
        if not (ROOT / path).is_file():
            wrong.append(path)
        elif function and f"def {function}(" not in (ROOT / path).read_text("utf-8"):
            wrong.append(f"{path}::{function}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_that_are_named_exist(page):
    assert [name for name in MODULE.findall(page.read_text("utf-8")) if name not in MODULES] == []


def sources(*folders):
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*.py") if path.name != "test_docs.py")


@cache
def classes():
    """Names of all classes of the package and of the tests' helpers."""
    return {
        node.name
        for path in sources("triage", "tests/support")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_classes_that_are_named_exist(page):
    named = set(CLASS.findall((ROOT / page).read_text("utf-8")))
    assert len(named) > 10
    assert named - classes() - {"SecretStr"} == set()


def test_names_in_the_code_that_contributing_mentions_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    names = {name for name in re.findall(r"`(_?[A-Za-z]\w*)`", text) if "_" in name or name.isupper()}
    names = {name for name in names if "NAME" not in name and not name.lower().startswith("triage_")}
    names -= {"_s", "_ms"}  # endings
    files = [ROOT / "pyproject.toml", *sources("triage", "tests")]
    source = "\n".join(path.read_text("utf-8") for path in files)
    assert {name for name in names if not re.search(rf"\b{name}\b", source)} == set()
    assert len(names) > 15


def test_the_glossary_is_in_order():
    glossary = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Glossary")[2]
    names = re.findall(r"^\| `(\w+)` \|", glossary, re.MULTILINE)
    assert names == sorted(names)


def targets():
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_of_make_that_are_named_exist(page):
    code = " ".join(re.findall(r"`[^`\n]+`", page.read_text("utf-8"))) + "\n".join(shell_lines(page))
    assert set(TARGET.findall(code)) - targets() == set()


def test_make_help_lists_every_target():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert targets() - set(re.findall(r"\bmake ([a-z][a-z-]+)", listed)) == set()


def test_the_index_of_decisions_is_complete():
    folder = ROOT / "docs" / "decisions"
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((.+\.md)\) \| \d{4}-\d\d-\d\d \| \S", (folder / "README.md").read_text("utf-8"), re.M
    )
    found = {}
    for path in sorted(folder.glob("0*.md")):
        number, _, title = path.read_text("utf-8").splitlines()[0].removeprefix("# ").partition(". ")
        found[path.name] = (number, title)
    assert {name: (number, title) for number, title, name in rows} == found
    assert [int(number) for number, _ in found.values()] == list(range(1, len(found) + 1))


def test_the_map_of_packages_is_complete():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    packages = {path.parent.name for path in (ROOT / "triage").glob("*/__init__.py")}
    assert packages - set(re.findall(r"\[`(\w+)`\]\(\.\./triage/\w+\)", text)) == set()


@pytest.mark.parametrize("package", ["alerting", "pipeline", "training"])
def test_parts_of_a_large_package_are_those_that_the_map_names(package):
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| \[`{package}`\]\(\S+\) \| (.+)$", text, re.MULTILINE)
    parts = {path.parent.name for path in (ROOT / "triage" / package).glob("*/__init__.py")}
    named = set(re.findall(r"`(\w+)`", row)) - {"train"}  # the extra
    assert named == parts


def test_every_page_can_be_reached_from_the_readme():
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.is_file():
            reached.add(page)
            links = [link.partition("#")[0] for link in PLACE.findall(page.read_text("utf-8"))]
            todo += [(page.parent / link).resolve() for link in links if link.endswith(".md") and ":" not in link]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_the_changelog_keeps_its_form():
    lines = (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## [Unreleased]"
    assert all(re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in versions[1:])
    kinds = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_workflow_runs_what_a_developer_runs():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert ".ci/run" in commands
    for command in commands:
        assert set(TARGET.findall(command)) <= targets()


def test_hooks_run_tools_of_the_environment():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    checked = (ROOT / "Makefile").read_text("utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    for hook in local["hooks"]:
        assert hook["entry"].split()[0].removeprefix(".venv/bin/") in checked
