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
_HEADERS = "|".join(
    f"(?P<{name}>{'|'.join(_PATTERNS[name])})" for name in ("from", "sent", "date", "to", "subject", "other")
)
_HEADER = re.compile(rf"[\s>|*]*\*?(?:{_HEADERS})\*?\s*(?:[:：]\*?|\|)\s*\S", re.IGNORECASE)
_DASHES = r"[-_=—─*]{2,}"
_RULER = re.compile(rf"[\s>]*{_DASHES}\s*{any_of(_PATTERNS['rulers'])}\s*{_DASHES}\s*$", re.IGNORECASE)
_TITLE = re.compile(r"[\s>]*[-_=—─*]{2,}[^\n]{1,40}?[-_=—─*]{2,}\s*")
_LONGEST_TITLE = 160
_FORM = re.compile(rf"\s*{any_of(_PATTERNS['form'])}\s*(?:[:：]|$)", re.IGNORECASE)
_ANY_RULER = re.compile(r"[\s>]*(?:[-_=—─*]{3,}|[-_=—─*]{2,}[^\n]{1,40}?[-_=—─*]{2,})\s*")
_REPLY_ABOVE = re.compile(rf"[\s>#\-=_*]*(?:please )?{any_of(_PATTERNS['reply_above'])}[\s#\-=_*.。]*$", re.IGNORECASE)
_FORWARDED = re.compile(
    rf"[\s>]*(?:{_DASHES}[^\n]{{0,20}}?{any_of(_PATTERNS['forwarded'])}[^\n]{{0,20}}?{_DASHES}"
    r"|begin forwarded message\s*[:：])\s*$",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(rf"{any_of(_PATTERNS['attributions'])}\s*[:：]\s*$", re.IGNORECASE | re.DOTALL)
# Zoho's form ends with dashes instead: `---- On 3 May Jane wrote ----`.
_ATTRIBUTION_SIGN = re.compile(r"(?:[:：]|\w\s*-{3,})\s*$")
# Of a line above marked quotes less is asked: an address or a word for writing, but nobody speaks for himself in it.
_SAYS_WHO = re.compile(rf"{any_of(_PATTERNS['says_who'])}|\S@\S|\[EMAIL\]", re.IGNORECASE)
_FIRST_PERSON = re.compile(any_of(_PATTERNS["first_person"]), re.IGNORECASE)
_ADDRESS = re.compile(r"\S@\S|\[EMAIL\]")
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
    r"[>＞|]|[:：]\s*(?:\n|$)|[:：]\s*\S[^\n]*\n\s*[^\n]{1,40}[:：]|[-_=—─*]{2,}"
    r"|##|above this|below this|of this line|dieser zeile|cette ligne|esta l[ií]nea|以上|上方|より上|の上",
    re.IGNORECASE,
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
        if len(text) <= _LONGEST_TITLE and _FORWARDED.match(text):
            # What is forwarded is what the sender wants to be read.
            break
        if _RULER.match(text) or _REPLY_ABOVE.match(text) or _is_header_block(lines, index) or _is_titled(lines, index):
            _mark(quoted, _ruler_above(lines, index), len(lines))
            break
        if length := _attribution_length(lines, index):
            end = _end_of_quote(lines, index + length)
            _mark(quoted, index, end)
            index = end
            continue
        if _QUOTED.match(text) and not (marked == 1 and _COMPARISON.match(text)):
            _mark(quoted, _ruler_above(lines, index), index + 1)
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

    Two are not enough, as `From: Leeds, To: York`; and of three, one is of mail alone or holds an address, unlike
    `From: Leeds, To: York, Date: 3 May`. A form of a website, with the message itself below its headers, is none.
    """
    found: set[str] = set()
    addressed = False
    if lines[index].blank:
        return False
    for line in lines[index : index + _HEADER_LINES]:
        # Where the headers were paragraphs of HTML, blank lines are between them.
        if line.blank:
            continue
        match = _HEADER.match(line.text)
        if match is None:
            return _is_complete(found, addressed or _ADDRESS.search(line.text)) and not _FORM.match(line.text)
        found.add(next(name for name, value in match.groupdict().items() if value))
        addressed = addressed or _ADDRESS.search(line.text) is not None
    return _is_complete(found, addressed)


def _is_complete(headers: set[str], addressed: object) -> bool:
    return len(headers) >= _LEAST_HEADERS and "from" in headers and bool(addressed or headers & {"sent", "subject"})


def _is_titled(lines: list[Line], index: int) -> bool:
    """True for `---- any words ----` with a mail header in the next line."""
    text = lines[index].text
    if index + 1 == len(lines) or len(text) > _LONGEST_TITLE or not _TITLE.fullmatch(text):
        return False
    match = _HEADER.match(lines[index + 1].text)
    return match is not None and match["from"] is not None


def _attribution_length(lines: list[Line], index: int) -> int:
    """Number of lines from `index` on that are an attribution, as `On 3 May Jane wrote:`; 0 if they are none."""
    joined = ""
    for count in range(1, _FOLDED_LINES + 1):
        if index + count > len(lines) or lines[index + count - 1].blank:
            return 0
        joined += (" " if joined else "") + lines[index + count - 1].text.lstrip(" >＞|\t")
        if _ATTRIBUTION_SIGN.search(joined):
            joined = joined.strip().strip("-").strip()
            below = next((line.text for line in lines[index + count :] if not line.blank), None)
            return count if _is_attribution(joined, below, index == 0) else 0
    return 0


def _is_attribution(line: str, below: str | None, first: bool) -> bool:
    """True if a line says who wrote what is below it, and the writer of the message does not tell it himself.

    `On 3 May your engineer wrote: come tomorrow` is his own.
    """
    marked = below is not None and _QUOTED.match(below) is not None
    told = _ADDRESS.search(line) is None and _FIRST_PERSON.search(line) is not None
    if _ATTRIBUTION.match(line.rstrip(" \t:：") + ":") and _DATE_OR_ADDRESS.search(line):
        return marked or (not told and (below is not None or first))
    return marked and not told and _SAYS_WHO.search(line) is not None


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
