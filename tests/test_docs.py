"""What the pages tell people to type is a command with these options, and links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
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
def test_what_people_are_told_to_type_is_a_command(page, command):
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
        if path.startswith("benchmarks/results/"):  # what a benchmark writes
            continue
        if not (ROOT / path).is_file():
            wrong.append(path)
        elif function and f"def {function}(" not in (ROOT / path).read_text("utf-8"):
            wrong.append(f"{path}::{function}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_that_are_named_exist(page):
    assert [name for name in MODULE.findall(page.read_text("utf-8")) if name not in MODULES] == []
