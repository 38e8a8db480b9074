"""Turns HTML, character references, BBCode and Markdown into the text that a reader would see."""

import html
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

# Only elements that mail clients, help desks and shops write: `<5 kg>` and `<jane@example.com>` are text.
_ELEMENTS = (
    "a abbr address article aside b big blockquote body br button center cite code dd del div dl dt em figure font footer "
    "form h1 h2 h3 h4 h5 h6 head header hr html i iframe img ins label li link main mark meta nav o:p ol p pre s script "
    "section small span strike strong style sub sup svg table tbody td tfoot th thead time title tr tt u ul video"
)
_TAG = re.compile(rf"<(?:!--|!doctype\b|/?(?:{'|'.join(_ELEMENTS.split())})(?=[\s/>])[^<>]*>)", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_BLOCKS = frozenset(
    "address article aside blockquote body center dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr html li main "
    "nav ol p pre section table tbody tfoot thead tr ul".split()
)
_CELLS = frozenset(("td", "th"))
_UNSEEN = frozenset("head iframe link meta script style svg template title video".split())
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.IGNORECASE)
_TARGET = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_BBCODE = re.compile(
    r"\[(/?)(b|i|u|s|quote|color|size|font|center|left|right|list|code|url|email|img)(=[^\[\]\n]{0,200})?\]", re.IGNORECASE
)
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,200}\]\([^()\s]{1,2000}\)")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]{1,500})\]\((https?://[^()\s]{1,2000}|mailto:[^()\s]{1,500})\)")
_STRONG = re.compile(r"(?<![*\w])(\*\*|__)(?=\S)([^*_\n]{1,2000}?)(?<=\S)\1(?![*\w])")
_SPACES = re.compile(r"[ \t\u00a0\u200b\ufeff]+")
_LINES = re.compile(r" *\n(?: *\n)+ *| *\n *")
# Entity references of entity references: `&amp;#39;` is what two exports in a row leave of an apostrophe.
_ROUNDS = 3
# Marks of deeper quotes are not repeated further: they would outgrow the text.
_DEEPEST_QUOTE = 4


def plain_text(text: str, limit: int | None = None) -> str:
    """The text without markup, at most `limit` characters; the text itself where it has none, or nothing else.

    Links keep their address after their words, quotes become lines that begin with `>`, as in a plain mail.
    """
    plain = text
    if "&" in plain:
        plain = _resolve(plain)
    if "<" in plain and _TAG.search(plain):
        plain = _without_tags(plain)
        if "&" in plain:
            plain = _resolve(plain)
    if "[" in plain and ("[/" in plain or "](" in plain):
        plain = _without_brackets(plain)
    if "**" in plain or "__" in plain:
        plain = _STRONG.sub(r"\2", plain)
    if plain is not text:
        plain = plain.strip()
    # What holds nothing but markup, as a picture alone, stays as it came.
    plain = plain or text
    return plain if limit is None else plain[:limit]


def _resolve(text: str) -> str:
    for _ in range(_ROUNDS):
        resolved = _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
        if resolved == text:
            break
        text = resolved
    return text.replace("\u00a0", " ")


def _without_tags(text: str) -> str:
    root = LexborHTMLParser(text).root
    if root is None:
        return text
    joined = "".join(_pieces(root, 0))
    lines = _SPACES.sub(" ", joined).replace("\r", "")
    return _LINES.sub(lambda match: "\n\n" if match[0].count("\n") > 1 else "\n", lines).strip()


def _pieces(root: LexborNode, quotes: int) -> Iterator[str]:
    """Text in reading order; blocks begin and end lines, quoted lines begin with `>`."""
    stack: list[LexborNode | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            if node == "</blockquote>":
                quotes -= 1
                yield "\n\n"
            else:
                yield node
            continue
        tag = (node.tag or "").lower()
        if tag == "-text":
            content = re.sub(r"\s+", " ", node.text_content or "")
            yield content
            continue
        if tag in _UNSEEN or tag.startswith(("-", "_")) or _HIDDEN.search(node.attributes.get("style") or ""):
            continue
        if tag == "br":
            yield "\n" + _marks(quotes)
            continue
        inner = list(node.iter(include_text=True))
        if tag == "blockquote":
            quotes += 1
            stack.append("</blockquote>")
            stack.extend(reversed(inner))
            yield "\n" + _marks(quotes)
        elif tag in _BLOCKS:
            # A paragraph ends with an empty line, as it looks.
            stack.append("\n" + _marks(quotes) + ("\n" + _marks(quotes) if tag == "p" else ""))
            stack.extend(reversed(inner))
            yield "\n" + _marks(quotes)
        elif tag in _CELLS:
            stack.append(" ")
            stack.extend(reversed(inner))
        elif tag == "a":
            target = (node.attributes.get("href") or "").strip()
            shown = node.text(deep=True, strip=True)
            if _TARGET.match(target) and _shown_target(target) != shown.rstrip("/"):
                stack.append(f" <{_shown_target(target)}>")
            stack.extend(reversed(inner))
        else:
            stack.extend(reversed(inner))


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
    open_tags: list[int] = []
    partner: dict[int, int] = {}
    for index, tag in enumerate(tags):
        if not tag[1]:
            open_tags.append(index)
        elif open_tags and tags[open_tags[-1]][2].lower() == tag[2].lower():
            partner[open_tags.pop()] = index
    if not partner:
        return text
    closing = {closed: opened for opened, closed in partner.items()}
    parts, position, hidden_until = [], 0, -1
    for index, tag in enumerate(tags):
        if index not in partner and index not in closing:
            continue
        if index > hidden_until:
            parts.append(text[position : tag.start()])
        position = tag.end()
        if index <= hidden_until:
            continue
        name = tag[2].lower()
        if index in partner and name == "img":
            hidden_until = partner[index]
        elif name == "quote":
            parts.append("\n> " if index in partner else "\n")
        elif index in closing and (value := tags[closing[index]][3]) and name in {"url", "email"}:
            parts.append(f" <{value[1:]}>")
    return "".join(parts) + text[position:]
