"""What the pages tell people to type is a command with these options, and links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
from checkout import ROOT
from deployed import check_command

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
SHELL = {"", "sh", "bash", "console"}
STARTS = re.compile(r"(^|\s)(\.venv(-train)?/bin/)?triage [a-z]")
PLACE = re.compile(r"\]\(([^)\s]+)\)")


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


COMMANDS = [(page.name, command) for page in PAGES for command in typed(page)]


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
