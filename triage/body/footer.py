"""Removes signatures, lines of mobile mail apps and legal footers at the end of a message, but never a request."""

import re

from triage.body.thread import Line, split_lines
from triage.han import simplified
from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "footer")


def _compiled(group: str, form: str = "{}") -> re.Pattern[str]:
    """The patterns of a group as one expression in simplified characters, as the text is read."""
    return re.compile(simplified(form.format(any_of(_PATTERNS[group]))), re.IGNORECASE)


_DELIMITER = re.compile(r"\s*(?:--|—|–|__|\*\*|-{3,}|_{3,}|={3,})\s*$")
_MOBILE = _compiled("mobile", r"\s*{}\s*(?:<[^<>\s]{{1,200}}>)?\s*[.。]?\s*$")
_TOKEN = _compiled("tokens", r"\s*{}\s*$")
_SIGN_OFF = _compiled("sign_offs", r"\s*{}\s*[,，.。!！]?\s*$")
_THANKS = _compiled("thanks", r"\s*{}\s*[,，.。!！]?\s*$")
_NAME = re.compile(r"\s*[^\W\d_a-z][\w.'’-]*(?: [^\W\d_a-z][\w.'’-]*){0,3}\s*$")
# A shorter last line may be the message's: `Best`.
_CLOSING_LINE = 7
# A last paragraph with two of these, or that names itself a footer and has one, is boilerplate.
_BOILERPLATE = _compiled("boilerplate")
# With one of these, too.
_CERTAIN = _compiled("certain")
_SHOUTED = re.compile(rf"\s*[*_【\[]*{simplified(any_of(_PATTERNS['shouted']))}\s*[:：*_】\]]")
_PERSONAL = _compiled("personal")
_NOT_PERSONAL = _compiled("not_personal")
_CONTACT = _compiled("contact")
_ASKS = _compiled("asks")
_ASKS_CERTAINLY = _compiled("asks_certainly")
_ABOUT_MAIL = _compiled("about_mail")
# A line that was broken for width continues in the next one; a short one ends there.
_WRAPPED = re.compile(r"(?<=[^\n]{55})\n")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])|\n")
_LONGEST_SIGNATURE = 10
# Bounds on work, for texts that hold nothing but delimiters.
_ROUNDS = 6
_DELIMITERS = 4
_SHORT_LINE = 60


def without_footer(text: str, start: int, end: int) -> int:
    """Index at which the message in `text[start:end]` ends, before a signature or footer; `end` if it has none.

    The result is never `start`: a message that consists only of a footer is kept.
    """
    # One character for one, so that offsets stay.
    part = simplified(text[start:end])
    if "\n" not in part and "\r" not in part:
        return end
    lines = split_lines(part)
    last = _cut(lines)
    while last > 0 and lines[last - 1].blank:
        last -= 1
    return start + lines[last - 1].end if last else end


def _cut(lines: list[Line]) -> int:
    """Number of lines that remain above signatures and footers."""
    stay = len(lines)
    for _ in range(_ROUNDS):
        before = stay
        for cut in (_delimited, _mobile, _legal, _signed):
            shorter = cut(lines[:stay])
            if any(not line.blank for line in lines[:shorter]):
                stay = shorter
        if stay == before:
            break
    return stay


def _delimited(lines: list[Line]) -> int:
    """Number of lines above a delimiter such as `-- `, which begins the signature; all lines if there is none.

    A delimiter does not count if somebody speaks for himself below it.
    """
    delimiters = [index for index, line in enumerate(lines) if index and _DELIMITER.match(line.text)]
    for index in delimiters[:_DELIMITERS]:
        below = "\n".join(later.text for later in lines[index + 1 :])
        if _may_go(below):
            return index
    return len(lines)


def _may_go(paragraph: str) -> bool:
    return (_is_boilerplate(paragraph) or not _speaks(paragraph)) and not _asks(paragraph)


def _is_boilerplate(text: str) -> bool:
    return bool(_BOILERPLATE.search(text) or _CERTAIN.search(text))


def _asks(paragraph: str) -> bool:
    """True if a sentence of the paragraph is a request or complaint of the writer; those of footers do not count."""
    if _ASKS_CERTAINLY.search(paragraph):
        return True
    sentences = _SENTENCE_END.split(_WRAPPED.sub(" ", paragraph))
    return any(
        _ASKS.search(sentence) and not _is_boilerplate(sentence) and not _ABOUT_MAIL.search(sentence)
        for sentence in sentences
    )


def _speaks(paragraph: str) -> bool:
    """True if the paragraph has words with which a person speaks for himself."""
    return _PERSONAL.search(_NOT_PERSONAL.sub(" ", paragraph)) is not None


def _mobile(lines: list[Line]) -> int:
    last = len(lines)
    while last and lines[last - 1].blank:
        last -= 1
    if last <= 1 or not (_MOBILE.match(line := lines[last - 1].text) or _TOKEN.match(line)) or _speaks(line):
        return len(lines)
    return last - 1


def _legal(lines: list[Line]) -> int:
    """Number of lines above a last paragraph of boilerplate that has no delimiter above it.

    All lines if there is none.
    """
    last = len(lines)
    while last and lines[last - 1].blank:
        last -= 1
    first = last
    while first and not lines[first - 1].blank:
        first -= 1
    if not first:
        return len(lines)
    paragraph = "\n".join(line.text for line in lines[first:last])
    found = len({match[0].lower() for match in _BOILERPLATE.finditer(paragraph)})
    certain = _CERTAIN.search(paragraph) is not None
    if _asks(paragraph):
        return len(lines)
    if _SHOUTED.match(paragraph) and (found or certain):
        return first
    return first if (certain or found > 1) and not _speaks(paragraph) else len(lines)


def _signed(lines: list[Line]) -> int:
    """Number of lines above a closing such as `Kind regards,` with a name, job and address below it.

    All lines if there is none.
    """
    for index in range(len(lines) - 1, 0, -1):
        text = lines[index].text
        if not _SIGN_OFF.match(text) and not _THANKS.match(text):
            continue
        below = [line.text for line in lines[index + 1 :] if line.text.strip()]
        if not below and _SIGN_OFF.match(text) and (len(text) > _CLOSING_LINE or not text.isascii()):
            return index
        if not below or len(below) > _LONGEST_SIGNATURE:
            return len(lines)
        if not _SIGN_OFF.match(text) and not _NAME.match(below[0]):
            return len(lines)
        short = all(len(text) <= _SHORT_LINE or _CONTACT.search(text) or _BOILERPLATE.search(text) for text in below)
        spoken = _speaks("\n".join(text for text in below if not _CONTACT.search(text)))
        return index if short and not spoken and not _asks("\n".join(below)) else len(lines)
    return len(lines)
