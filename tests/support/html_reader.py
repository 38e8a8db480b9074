"""Reads HTML as a browser does."""

from html.parser import HTMLParser


class HtmlReader(HTMLParser):
    """Text, tags, marked parts, and the last value of each attribute."""

    def __init__(self, html: object) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: dict[str, str] = {}
        self.marked: list[str] = []
        self._in_mark = False
        self.feed(str(html))  # of Markup, slices would be escaped
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name: value or "" for name, value in attrs}
        self._in_mark = tag == "mark"
        if self._in_mark:
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_mark:
            self.marked[-1] += data
