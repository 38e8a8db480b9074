"""Reads HTML as a browser does."""

from html.parser import HTMLParser

# Without an end tag.
_VOID = frozenset({"br", "img", "input", "link", "meta"})


class HtmlReader(HTMLParser):
    """Text, tags, marked parts, and the last value of each attribute.

    `directions` has each piece of text with the direction that an element around it sets: `auto`, `ltr` or none.
    """

    def __init__(self, html: object) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: dict[str, str] = {}
        self.marked: list[str] = []
        self.directions: list[tuple[str, str]] = []
        self._in_mark = False
        self._open: list[tuple[str, str]] = []
        self.feed(str(html))  # of Markup, slices would be escaped
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            around = self._open[-1][1] if self._open else ""
            self._open.append((tag, "auto" if tag == "bdi" else dict(attrs).get("dir") or around))
        self._in_mark = tag == "mark"
        if self._in_mark:
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = False
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        self.directions.append((data, self._open[-1][1] if self._open else ""))
        if self._in_mark:
            self.marked[-1] += data
