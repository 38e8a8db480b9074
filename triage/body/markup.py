"""Converts HTML, character references, BBCode and Markdown to the text that a reader would see."""

import html
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from triage.patterns import load_patterns

# Only elements that mail clients, help desks and shops write: `<5 kg>` and `<jane@example.com>` are text.
_PATTERNS = load_patterns("triage.body.patterns", "markup")
_BLOCKS, _UNSEEN = frozenset(_PATTERNS["blocks"]), frozenset(_PATTERNS["unseen"])
_ELEMENTS = "|".join([*_PATTERNS["blocks"], *_PATTERNS["unseen"], *_PATTERNS["inline"]])
_TAG = re.compile(rf"<(?:!--|!doctype\b|/?(?:{_ELEMENTS})(?:\s+[a-z_:@][^<>]*|\s*/?\s*)>)", re.IGNORECASE)
# What mail clients put in angle brackets is not an element: `Jane <jane@example.com>`.
_ADDRESS = re.compile(r"<(?=(?:https?:|mailto:|tel:|[^<>\s=\"']{1,100}@)[^<>\s]{1,500}>)")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_CELLS = frozenset(("td", "th"))
_HIDDEN = re.compile(
    r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|max-height\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_TARGET = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_BBCODE = re.compile(
    r"\[(/?)(b|i|u|s|quote|color|size|font|center|left|right|list|code|url|email|img)(=[^\[\]\n]{0,200})?\]",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,200}\]\([^()\s]{1,2000}\)")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]{1,500})\]\((https?://[^()\s]{1,2000}|mailto:[^()\s]{1,500})\)")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?=[^\W\d_])", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![*\w\\])\*(?=[^\s*])([^*\n]{1,300})(?<=[^\s*])\*(?![*\w])")
_CODE = re.compile(r"(?<![`\w])`(?=\S)([^`\n]{1,300})(?<=\S)`(?![`\w])")
_STRONG = re.compile(r"(?<![*\w])\*\*(?=\S)([^*\n]{1,2000})(?<=\S)\*\*(?![*\w])")
_SPACES = re.compile(r"[ \t\u00a0\u200b\ufeff]+")
_LINES = re.compile(r" *\n(?: *\n)+ *| *\n *")
# Entity references of entity references: `&amp;#39;` is what two exports in a row leave of an apostrophe.
_ROUNDS = 3
# Marks of deeper quotes are not repeated further: they would outgrow the text.
_DEEPEST_QUOTE = 4


def plain_text(text: str) -> str:
    """Remove HTML, BBCode and Markdown; a text without markup, or of nothing but markup, is returned unchanged.

    A link's address follows its words, and quotes become lines that begin with `>`, as in plain-text mail.
    """
    plain = text
    if "&" in plain:
        plain = _resolve(plain)
    if "<![CDATA[" in plain and "]]>" in plain:
        plain = plain.replace("<![CDATA[", "").replace("]]>", "")
    if "<" in plain and _TAG.search(plain):
        plain = _without_tags(plain)
        if "&" in plain:
            plain = _resolve(plain)
    if "[" in plain and ("[/" in plain or "](" in plain):
        plain = _without_brackets(plain)
    if "*" in plain or "`" in plain or "# " in plain:
        plain = _without_marks(plain)
    if plain is not text:
        plain = plain.strip()
    # What holds nothing but markup, as a picture alone, stays as it came.
    return plain or text


def _without_marks(text: str) -> str:
    """Without Markdown's emphasis, code and headings."""
    plain = _EMPHASIS.sub(r"\1", _STRONG.sub(r"\1", text))
    plain = _CODE.sub(r"\1", plain)
    # The text of one line that begins with # is a hashtag's or a number's, no heading.
    return _HEADING.sub("", plain) if "\n" in plain else plain


def _resolve(text: str) -> str:
    for _ in range(_ROUNDS):
        resolved = _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
        if resolved == text:
            break
        text = resolved
    return text.replace("\u00a0", " ")


def _without_tags(text: str) -> str:
    root = LexborHTMLParser(_ADDRESS.sub("&lt;", text)).root
    if root is None:
        return text
    joined = "".join(_pieces(root, 0))
    lines = _SPACES.sub(" ", joined).replace("\r", "")
    return _LINES.sub(lambda match: "\n\n" if match[0].count("\n") > 1 else "\n", lines).strip()


def _pieces(root: LexborNode, quotes: int) -> Iterator[str]:
    """Text in reading order; blocks begin and end lines, quoted lines begin with `>`."""
    stack: list[LexborNode | str | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:  # a quote ends
            quotes -= 1
            yield "\n\n"
        elif isinstance(node, str):
            yield node
        elif (tag := (node.tag or "").lower()) == "-text":
            yield re.sub(r"\s+", " ", node.text_content or "")
        elif tag == "br":
            yield "\n" + _marks(quotes)
        elif not _is_unseen(node, tag):
            quotes += tag == "blockquote"
            before, after = _around(node, tag, quotes)
            stack += [after, *reversed(list(node.iter(include_text=True)))]
            yield before


def _is_unseen(node: LexborNode, tag: str) -> bool:
    if tag in _UNSEEN or tag.startswith(("-", "_")) or "hidden" in node.attributes:
        return True
    return _HIDDEN.search(node.attributes.get("style") or "") is not None


def _around(node: LexborNode, tag: str, quotes: int) -> tuple[str, str | None]:
    """Text to insert before and after the content of an element; None for the latter if a quote ends there."""
    line = "\n" + _marks(quotes)
    if tag == "blockquote":
        return line, None
    if tag in _BLOCKS:
        # A paragraph ends with an empty line, as it looks.
        return line, line * 2 if tag == "p" else line
    if tag in _CELLS:
        return "", " "
    if tag == "a":
        target = (node.attributes.get("href") or "").strip()
        if _TARGET.match(target) and _shown_target(target) != node.text(deep=True, strip=True).rstrip("/"):
            return "", f" <{_shown_target(target)}>"
    return "", ""


def _marks(quotes: int) -> str:
    return "> " * min(quotes, _DEEPEST_QUOTE)


def _shown_target(target: str) -> str:
    """The address as it would be shown."""
    scheme, _, rest = target.partition(":")
    return rest if scheme.lower() in {"mailto", "tel"} else target.rstrip("/")


def _without_brackets(text: str) -> str:
    text = _without_bbcode(text)
    return _LINK.sub(lambda match: f"{match[1]} <{_shown_target(match[2])}>", _IMAGE.sub(" ", text))


def _without_bbcode(text: str) -> str:
    """Without the tags that are opened and closed; `[b]` alone is text."""
    tags = list(_BBCODE.finditer(text))
    opened_by = _pairs(tags)
    paired = opened_by.keys() | set(opened_by.values())
    parts: list[str] = []
    position = 0
    for index in sorted(paired):
        tag, name = tags[index], tags[index][2].lower()
        content = text[position : tag.start()]
        position = tag.end()
        if index not in opened_by:
            parts += content, "\n> " if name == "quote" else ""
        elif name == "img":
            parts.append(" ")  # its content is an address, not words
        else:
            value = tags[opened_by[index]][3] if name in {"url", "email"} else None
            parts += content, f" <{value[1:]}>" if value else "\n" if name == "quote" else ""
    return "".join(parts) + text[position:]


def _pairs(tags: list[re.Match[str]]) -> dict[int, int]:
    """Index of each closing tag and of the opening one that belongs to it."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for index, tag in enumerate(tags):
        if not tag[1]:
            waiting.append(index)
        elif waiting and tags[waiting[-1]][2].lower() == tag[2].lower():
            found[index] = waiting.pop()
    return found
