"""Reads HTML as a browser does."""

from html.parser import HTMLParser


class HtmlReader(HTMLParser):
    """Text, tags, marked parts, and the last value of every attribute."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.attributes, self.marked, self._in_mark = "", [], {}, [], False
        self.feed(str(html))  # of Markup, slices would be escaped
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name: value or "" for name, value in attrs}
        self._in_mark = tag == "mark"
        if self._in_mark:
            self.marked.append("")

    def handle_endtag(self, tag):
        self._in_mark = False

    def handle_data(self, data):
        self.text += data
        if self._in_mark:
            self.marked[-1] += data
