"""Turns the HTML of an article into Markdown, so that headings, lists and tables keep their form."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_HTML = re.compile(
    r"<(?:!doctype|html|body|p|div|h[1-6]|ul|ol|li|table|br|span|section|article)\b[^<>]*>", re.IGNORECASE
)
_UNSEEN = frozenset(
    ("script", "style", "head", "template", "noscript", "svg", "iframe", "object", "nav", "form", "-comment", "button")
)
# Parts of a page of a help centre that are not the article: classes of the theme that most of them have.
_FURNITURE = frozenset(
    ("breadcrumbs", "article-votes", "article-comments", "article-relatives", "article-return-to-top", "article-meta")
)
_BLOCKS = frozenset(
    ("p", "div", "section", "article", "main", "header", "footer", "blockquote", "pre", "table", "ul", "ol", "dl", "dt",
     "dd", "figure", "figcaption", "aside", "details", "summary", "address", "body", "html")
)  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_SPACES = re.compile(r"[ \t\r\n\f\u00a0\u200b\ufeff]+")
_DEEPEST = 200


def is_html(text: str) -> bool:
    """True if the text has elements of a page, not only comparisons such as `<5 kg`."""
    return _HTML.search(text) is not None


def markdown_of(page: str) -> str:
    """The readable text of a page or of a part of one; scripts, forms and navigation are left out."""
    parser = LexborHTMLParser(page)
    articles = parser.css("article") or parser.css("main")
    # Around the one article of a page is what all pages of the site say.
    root = articles[0] if len(articles) == 1 else parser.root
    parts: list[str] = []
    if root is not None:
        _collect(root, parts, 0)
    lines = (" ".join(line.split(" ")).strip() for line in "".join(parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _collect(node: LexborNode, parts: list[str], depth: int) -> None:
    tag = (node.tag or "").lower()
    if tag == "-text":
        parts.append(_SPACES.sub(" ", node.text_content or ""))
        return
    if (
        tag in _UNSEEN
        or not _FURNITURE.isdisjoint((node.attributes.get("class") or "").split())
        or "hidden" in node.attributes
        or depth > _DEEPEST
    ):
        return
    before, after = _around(tag)
    parts.append(before)
    for child in node.iter(include_text=True):
        _collect(child, parts, depth + 1)
    parts.append(after)


def _around(tag: str) -> tuple[str, str]:
    if tag in _HEADINGS:
        return f"\n\n{_HEADINGS[tag]} ", "\n\n"
    if tag == "li":
        return "\n- ", "\n"
    if tag == "tr":
        return "\n", "\n"
    if tag in {"td", "th"}:
        return "", " | "
    if tag == "br":
        return "\n", ""
    return ("\n\n", "\n\n") if tag in _BLOCKS else ("", "")
