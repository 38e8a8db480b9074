"""Splits an article into passages: parts of its text, word for word, below the headings that they stand under."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.assist.knowledge.tokens import TokenCounter, TokenStarts
from triage.schemas.knowledge import Article, Passage

FORM = "1"
"""Another way to split gets another number, so that articles are split again."""
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)、])[ \t]+")
_SENTENCE_END = re.compile(r"[。！？!?；;…]+[”’』」）)\"']*|(?<=[a-z\d)\]%])\.(?=\s)|\n")
_JOIN = " › "
_SPARE_TOKENS = 6  # a part alone can have some tokens more than in its text


@dataclass(frozen=True)
class _Block:
    start: int
    end: int
    heading: str


def split_article(article: Article, counter: TokenCounter, most_tokens: int) -> list[Passage]:
    """The passages of an article, in order, each of `most_tokens` at most.

    What belongs to one heading stays together as far as it fits: whole paragraphs, list items and rows first, then
    sentences, then parts of them.
    """
    body, limit = article.body, most_tokens - _SPARE_TOKENS
    starts = counter.starts(body)
    passages: list[Passage] = []
    for heading, start, end in _ranges(body, starts, limit):
        part = body[start:end]
        first = start + len(part) - len(part.lstrip())
        if text := part.strip():
            number = len(passages) + 1
            passages.append(Passage(number=number, start=first, end=first + len(text), text=text, heading=heading))
    return passages


def _ranges(body: str, starts: TokenStarts, limit: int) -> Iterator[tuple[str, int, int]]:
    """(heading, start, end) of each passage."""

    def fits(start: int, end: int) -> bool:
        return starts.count(start, end) <= limit

    open_block: _Block | None = None
    for block in _blocks(body):
        if open_block is not None and open_block.heading == block.heading and fits(open_block.start, block.end):
            open_block = _Block(open_block.start, block.end, block.heading)
            continue
        if open_block is not None:
            yield from _fitting(body, starts, limit, open_block)
        open_block = block
    if open_block is not None:
        yield from _fitting(body, starts, limit, open_block)


def _fitting(body: str, starts: TokenStarts, limit: int, block: _Block) -> Iterator[tuple[str, int, int]]:
    """The block, or parts of it that end with a sentence, or at the last token that fits."""
    start = block.start
    while starts.count(start, block.end) > limit:
        bound = starts.after(start, limit)
        if bound is None or bound <= start:
            break
        ends = [match.end() for match in _SENTENCE_END.finditer(body, start, bound)]
        # The first sentence of many tokens is cut at a space, if there is one.
        end = ends[-1] if ends else body.rfind(" ", start + 1, bound) + 1 or bound
        end = end if end > start else bound
        yield block.heading, start, end
        start = end
    yield block.heading, start, block.end


def _blocks(body: str) -> Iterator[_Block]:
    """Paragraphs, list items and fenced parts, each with its path of headings."""
    path: list[tuple[int, str]] = []
    start: int | None = None
    fence = ""
    at = 0
    for line in body.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1] == fence else fence
            at += len(line)
            continue
        heading = _HEADING.fullmatch(line.rstrip("\n"))
        begins = heading is not None or _ITEM.match(line) is not None or not line.strip()
        if begins and start is not None:
            yield _Block(start, at, _JOIN.join(title for _, title in path))
            start = None
        if heading is not None:
            level = len(heading[1])
            path = [each for each in path if each[0] < level] + [(level, heading[2].strip())]
        elif line.strip() and start is None:
            start = at
        if mark:
            fence = mark[1]
        at += len(line)
    if start is not None:
        yield _Block(start, len(body), _JOIN.join(title for _, title in path))
