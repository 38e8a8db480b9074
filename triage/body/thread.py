"""Separates the new part of a message from the history that mail clients and help desks quote.

Works on lines and returns offsets, so that the stored text stays complete. Tested on the same texts, mail-parser-reply
and email-reply-parser return rewritten text without offsets and miss most Chinese and Japanese forms
(docs/decisions/0016-the-body-of-a-message.md).
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "thread")
_HEADERS = "|".join(f"(?P<{name}>{'|'.join(_PATTERNS[name])})" for name in ("from", "sent", "to", "subject", "other"))
_HEADER = re.compile(rf"[\s>|*]*\*?(?:{_HEADERS})\*?\s*(?:[:：]\*?|\|)\s*\S", re.IGNORECASE)
_DASHES = r"[-_=—─*]{2,}"
_RULER = re.compile(rf"[\s>]*{_DASHES}\s*{any_of(_PATTERNS['rulers'])}\s*{_DASHES}\s*$", re.IGNORECASE)
_ANY_RULER = re.compile(r"[\s>]*(?:[-_=—─*]{3,}|[-_=—─*]{2,}[^\n]{1,40}?[-_=—─*]{2,})\s*")
_REPLY_ABOVE = re.compile(rf"[\s>#\-=_*]*(?:please )?{any_of(_PATTERNS['reply_above'])}[\s#\-=_*.。]*$", re.IGNORECASE)
_FORWARDED = re.compile(
    rf"[\s>]*(?:{_DASHES}\s*{any_of(_PATTERNS['forwarded'])}\s*{_DASHES}|begin forwarded message\s*[:：])\s*$",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(rf"{any_of(_PATTERNS['attributions'])}\s*[:：]\s*$", re.IGNORECASE | re.DOTALL)
_ATTRIBUTION_SIGN = re.compile(r"[:：]\s*$")
_DATE_OR_ADDRESS = re.compile(
    r"\d{1,4}\s*[./:年-]\s*\d{1,2}|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{2,4}|\[EMAIL\]|\S@\S|\[(?:DATE|PHONE)\]"
)
_FOLDED_LINES = 3
_QUOTED = re.compile(r"\s{0,3}(?:>|＞|\|(?=\s))")
# A lone `> 3 weeks` is a comparison, not a quote.
_COMPARISON = re.compile(r"\s{0,3}[>＞]\s?\d")
_LEAST_HEADERS = 3
_HEADER_LINES = 12
# A text without any of these holds no history.
_SIGN = re.compile(
    r"[>＞|]|[:：]\s*(?:\n|$)|[:：]\s*\S[^\n]*\n[^\n]{1,40}[:：]|[-_=—─*]{2,}"
    r"|above this|of this line|以上|上方|より上|の上"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message, from `start` to `end` (code points), without the line break."""

    start: int
    end: int
    text: str

    @property
    def blank(self) -> bool:
        return not self.text.strip()


def new_parts(text: str) -> list[tuple[int, int]]:
    """Find the parts of a text that are not quoted history; returns (start, end) of each, in order.

    Returns [] if all of the text is history, or none of it. Several parts are separated by history, as in a mail with
    answers below each question.
    """
    if not _SIGN.search(text):
        return []
    lines = split_lines(text)
    quoted = _quoted_lines(lines)
    if not any(quoted):
        return []
    parts: list[tuple[int, int]] = []
    run: list[Line] = []
    for line, is_quoted in [*zip(lines, quoted, strict=True), (Line(len(text), len(text), ""), True)]:
        if not is_quoted:
            run.append(line)
            continue
        while run and run[0].blank:
            run.pop(0)
        while run and run[-1].blank:
            run.pop()
        if run:
            parts.append((run[0].start, run[-1].end))
        run = []
    return parts


def split_lines(text: str) -> list[Line]:
    bounds = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text)), len(text)]
    return [
        Line(start, start + len(body), body)
        for start, end in pairwise(bounds)
        for body in [text[start:end].rstrip("\r\n")]
    ]


def _quoted_lines(lines: list[Line]) -> list[bool]:
    quoted = [False] * len(lines)
    marked = sum(1 for line in lines if _QUOTED.match(line.text))
    index = 0
    while index < len(lines):
        text = lines[index].text
        if _FORWARDED.match(text):
            # What is forwarded is what the sender wants to be read.
            break
        if _RULER.match(text) or _REPLY_ABOVE.match(text) or _is_header_block(lines, index):
            _mark(quoted, _ruler_above(lines, index), len(lines))
            break
        if length := _attribution_length(lines, index):
            end = _end_of_quote(lines, index + length)
            _mark(quoted, index, end)
            index = end
            continue
        if _QUOTED.match(text) and not (marked == 1 and _COMPARISON.match(text)):
            quoted[index] = True
        index += 1
    return quoted


def _mark(quoted: list[bool], start: int, end: int) -> None:
    quoted[start:end] = [True] * (end - start)


def _ruler_above(lines: list[Line], index: int) -> int:
    """Index of the ruler above the headers at `index`: underscores, or `---- any words ----`; else `index`."""
    above = index - 1
    while above >= 0 and lines[above].blank:
        above -= 1
    return above if above >= 0 and _ANY_RULER.fullmatch(lines[above].text) else index


def _is_header_block(lines: list[Line], index: int) -> bool:
    """True if at least three different mail headers follow each other from `index` on, the sender among them.

    Two are not enough: `From: Leeds, To: York`.
    """
    found: set[str] = set()
    if lines[index].blank:
        return False
    for line in lines[index : index + _HEADER_LINES]:
        # Where the headers were paragraphs of HTML, blank lines are between them.
        if line.blank:
            continue
        match = _HEADER.match(line.text)
        if match is None:
            return False
        found.add(next(name for name, value in match.groupdict().items() if value))
        if len(found) >= _LEAST_HEADERS and "from" in found:
            return True
    return False


def _attribution_length(lines: list[Line], index: int) -> int:
    """Number of lines from `index` on that are an attribution, as `On 3 May Jane wrote:`; 0 if they are none."""
    joined = ""
    for count in range(1, _FOLDED_LINES + 1):
        if index + count > len(lines) or lines[index + count - 1].blank:
            return 0
        joined += (" " if joined else "") + lines[index + count - 1].text.lstrip(" >＞|\t")
        if _ATTRIBUTION_SIGN.search(joined):
            follows = any(not line.blank for line in lines[index + count :])
            found = _ATTRIBUTION.match(joined) and _DATE_OR_ADDRESS.search(joined) and (follows or index == 0)
            return count if found else 0
    return 0


def _end_of_quote(lines: list[Line], index: int) -> int:
    """Index of the line after the quote below an attribution: after its marked lines, else the end of the text."""
    first = index
    while first < len(lines) and lines[first].blank:
        first += 1
    if first == len(lines) or not _QUOTED.match(lines[first].text):
        return len(lines)
    last = first
    for position in range(first, len(lines)):
        if _QUOTED.match(lines[position].text):
            last = position
        elif not lines[position].blank:
            break
    return last + 1
