"""Titles say what a thing does, and prose keeps to plain international English: the list of patterns stays at zero."""

import ast
import io
import re
import tokenize

import pytest
from checkout import ROOT

MODULES = sorted((ROOT / "triage").rglob("*.py"))
_FOLDERS = (ROOT / "docs", ROOT / "deploy", ROOT / "findings")
PAGES = sorted({*ROOT.glob("*.md"), *(page for folder in _FOLDERS for page in folder.rglob("*.md"))})

QUESTION = re.compile(r"(What|Whether|How|Where|Who|Whom|Whose|Which|Why|When)\b")
# In every sentence: docstrings, comments, messages, pages.
PHRASES = {
    r"\bstands? twice\b": "no duplicates",
    r"\bin hand\b": "in flight",
    r"\b(is|are|was|were|be|being) away\b": "unavailable",
    r"\btold of\b": "reported, notified",
    r"\b(nobody|none|something|one|those|records?|pages?) of (ours|us)\b": "our own, this project's",
    r"\banew\b": "again, new",
    r"\b(that|it) is none\b": "name the thing",
    r"\bis no (?!longer\b|more\b|later\b|reason\b|need\b|way\b)[a-z]+\b": "is not a ...",
    r"\b(go|goes|going|went) on\b": "continue",
    r"\bso soon\b": "name the interval",
    r"\bcome to (?=where|which)": "reached",
}
# In the source only, where the word has a standard one.
SOURCE_WORDS = {
    # Not the command of that name.
    r"(?<!triage alerts )\b[Jj]udg(e|es|ed|ing|ement|ements)\b": "classify, score, evaluate",
    r"\b(teach|teaches|taught)\b": "train",
    r"\bbeside\b": "next to, alongside, with",
    r"\blies\b": "is",
}


def _docstrings(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


def _prose(path):
    """(line, text) of comments and of every string of more than one word."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
            yield token.start[0], token.string


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_titles_are_no_questions(path):
    assert [f"{line}: {text.splitlines()[0]}" for line, text in _docstrings(path) if QUESTION.match(text)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_source_is_in_plain_english(path):
    found = [
        f"{line}: {match[0]!r}: {instead}"
        for line, text in _prose(path)
        for pattern, instead in (PHRASES | SOURCE_WORDS).items()
        for match in re.finditer(pattern, text)
    ]
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_are_in_plain_english(path):
    found = [
        f"{number}: {match[0]!r}: {instead}"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for pattern, instead in PHRASES.items()
        for match in re.finditer(pattern, line)
    ]
    assert found == []
