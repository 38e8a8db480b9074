"""Separates what is new in a message from the history that mail clients and help desks quote below, above or between it.

Works on lines and returns offsets, so that the stored text stays whole. Tried on the same texts, mail-parser-reply and
email-reply-parser return rewritten text without offsets and miss most Chinese and Japanese forms
(docs/decisions/0015-the-body-of-a-message.md).
"""

import re
from dataclasses import dataclass
from itertools import pairwise

# Names of the header lines that clients write above a quoted message: From, Sent, To, Subject in each language.
_FROM = "from|von|de|da|van|från|fra|od|от кого|发件人|發件人|寄件者|寄件人|寄信人|发信人|發信人|差出人|送信者|보낸사람|보낸 사람"
_SENT = (
    "sent|date|gesendet(?: am)?|datum|envoyé(?: le)?|enviado(?: el)?|enviada(?: em)?|fecha|data|inviato|verzonden|skickat|sendt|"
    "发送时间|發送時間|发件时间|發件時間|寄件日期|寄送日期|傳送時間|传送时间|时间|時間|日期|送信日時|日時|날짜"
)
_TO = "to|an|à|para|a|aan|till|til|do|кому|收件人|收件者|收信人|宛先|받는사람|받는 사람"
_SUBJECT = "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|тема|主题|主題|主旨|件名|제목"
_CC = "cc|bcc|kopie|copie|抄送|副本|reply-to|importance|priority|wichtigkeit|importance|添付ファイル|attachments?|附件"
_HEADER = re.compile(
    rf"[\s>|*]*\*?(?:(?P<from>{_FROM})|(?P<sent>{_SENT})|(?P<to>{_TO})|(?P<subject>{_SUBJECT})|(?P<cc>{_CC}))"
    r"\*?\s*(?:[:：]\*?|\|)\s*\S",
    re.IGNORECASE,
)
# "-----Original Message-----" and its kin: a line of dashes with these words between, or below a line of underscores.
_RULER = re.compile(
    r"[\s>]*(?:[-_=—─*]{2,}\s*(?:original(?:e|al)? (?:message|mail|nachricht|appointment)|ursprüngliche nachricht|"
    r"message d'origine|message original|messaggio originale|mensaje original|mensagem original|oorspronkelijk bericht|"
    r"reply message|原始邮件|原始郵件|原邮件|原郵件|回复的原邮件|回覆的原郵件|原文|原始信件|元のメッセージ|original mail)"
    r"\s*[-_=—─*]{2,})\s*$",
    re.IGNORECASE,
)
_REPLY_ABOVE = re.compile(
    r"[\s>#\-=_*]*(?:please )?(?:(?:type|write|enter|add) your (?:reply|response|answer) above this line|reply above this line|"
    r"bitte (?:schreiben|antworten|geben) sie (?:ihre antwort )?(?:über|oberhalb)(?: von)? dieser (?:zeile|linie)|"
    r"veuillez (?:écrire|saisir|répondre)[^\n]{0,30}au-dessus de cette ligne|répond(?:re|ez) au-dessus de cette ligne|"
    r"escriba su respuesta (?:encima|por encima) de esta línea|"
    r"请在(?:此|这)(?:行|线)(?:以上|上方|之上)(?:回复|输入)[^\n]{0,12}|請在(?:此|這)(?:行|線)(?:以上|上方|之上)(?:回[覆復]|輸入)[^\n]{0,12}|"
    r"この(?:行|線)(?:より|の)上[^\n]{0,20}返信[^\n]{0,12})[\s#\-=_*.。]*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[\s>]*(?:[-_=—]{2,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|"
    r"转发邮件|轉寄郵件|转发的邮件|轉發的郵件|转发邮件信息|転送メッセージ)\s*[-_=—]{2,}|begin forwarded message\s*[:：])\s*$",
    re.IGNORECASE,
)
# The line, often folded, that names who wrote what follows. It ends with a colon and holds a date or an address.
_ATTRIBUTION = re.compile(
    r"(?:on\b.{4,220}\b(?:wrote|writes|said)|.{2,120}\bwrote on\b.{4,80}|am\b.{4,160}\bschrieb(?:en)?\b.{0,120}|.{2,120}\bschrieb am\b.{4,100}|"
    r"(?:le|el|em|il|op|den|dne|w dniu)\b.{4,200}(?:a écrit|écrivait|escribi[óo]|escreveu|ha scritto|schreef(?: .{1,80})?|skrev(?: .{1,80})?|napsal|napisał\(?a?\)?)|"
    r".{2,120}\b(?:a écrit|escribi[óo])(?: le| el)\b.{4,100}|"
    r"(?:在|于|於)?.{4,160}(?:写道|寫道|写到|寫到|写了|寫了|來信|来信)|"
    r"\d{4}\s*[年/.-].{4,120}|.{1,80}(?:さん)?(?:は|が).{0,60}書きました|.{2,120}のメール)"
    r"\s*[:：]\s*$",
    re.IGNORECASE | re.DOTALL,
)
_DATE_OR_ADDRESS = re.compile(r"\d{1,4}\s*[./:年-]\s*\d{1,2}|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{2,4}|\[EMAIL\]|\S@\S|\[(?:DATE|PHONE)\]")
_ATTRIBUTION_SIGN = re.compile(r"[:：]\s*$")
_FOLDED_LINES = 3
# A lone `> 3 weeks` is a comparison, not a quote.
_QUOTED = re.compile(r"\s{0,3}(?:>|＞|\|(?=\s))")
_COMPARISON = re.compile(r"\s{0,3}[>＞]\s?\d")
_LEAST_HEADERS = 3
_SIGN = re.compile(r"[>＞|]|[:：]\s*(?:\n|$)|[:：]\s*\S[^\n]*\n[^\n]{1,40}[:：]|[-_=—─*]{2,}|above this|of this line|以上|上方")


@dataclass(frozen=True, slots=True)
class Line:
    """`start` to `end` without the line break, in code points of the text."""

    start: int
    end: int
    text: str

    @property
    def blank(self) -> bool:
        return not self.text.strip()


def new_parts(text: str) -> list[tuple[int, int]]:
    """(start, end) of the parts that are no quoted history, in order; [] where all of it is, or none.

    Two parts are told apart by history between them, as with answers under each question.
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
    return [Line(start, start + len(body), body) for start, end in pairwise(bounds) for body in [text[start:end].rstrip("\r\n")]]


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
    """The line of underscores that Outlook puts above its headers belongs to them."""
    above = index - 1
    while above >= 0 and lines[above].blank:
        above -= 1
    return above if above >= 0 and re.fullmatch(r"\s*[-_=—─*]{3,}\s*", lines[above].text) else index


def _is_header_block(lines: list[Line], index: int) -> bool:
    """At least three different headers in a row, the sender among them: two are `From: Leeds, To: York`."""
    found: set[str] = set()
    for line in lines[index : index + 12]:
        if line.blank and not found:
            return False
        match = _HEADER.match(line.text)
        if match is None:
            if line.blank or len(found) < _LEAST_HEADERS:
                # Blank lines stand between headers where they were paragraphs of HTML.
                if line.blank:
                    continue
                break
            break
        found.add(next(name for name, value in match.groupdict().items() if value))
        if len(found) >= _LEAST_HEADERS and "from" in found:
            return True
    return False


def _attribution_length(lines: list[Line], index: int) -> int:
    """How many lines from here make up an attribution; 0 for none."""
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
    """Where the quote that begins below an attribution ends: with its marked lines, else with the text."""
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
