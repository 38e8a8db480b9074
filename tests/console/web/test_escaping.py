"""Values that look like markup or like a template are shown as text, on every page and in every fragment."""

from pathlib import Path

import pytest
from console_parts import ConsoleParts
from html_reader import HtmlReader

import triage.console
from triage.templating import Templates

EVIL = """"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}&"""


@pytest.fixture
def rendered():
    """Names of the templates that were rendered."""
    return set()


@pytest.fixture
def shown(make_alert, clock, monkeypatch, rendered):
    """HTML by what it shows."""
    render = Templates.render

    def noted(self, template, /, **values):
        rendered.add(template)
        return render(self, template, **values)

    monkeypatch.setattr(Templates, "render", noted)
    parts = ConsoleParts(make_alert, clock, EVIL, EVIL)
    return parts.html() | parts.in_texts()


# What has no value of others in it.
PLAIN = {"status", "legend", "timeline table", "fleet: tiles"}


def test_nothing_gets_out_unescaped(shown):
    for name, html in shown.items():
        found = HtmlReader(html)
        assert not {"script", "img"} & set(found.tags) - ({"img"} if name == "e-mail" else set()), name
        assert "onerror" not in found.attributes, name
        assert "<script" not in html, name
        assert ">49" not in html, name
        assert " at 0x" not in html, f"{name} shows an object"
        everything = found.text + "".join(found.attributes.values())
        assert ("alert(1)" in everything or "alert%281%29" in everything) == (name not in PLAIN), name


def test_every_template_was_among_them(shown, rendered):
    folder = Path(triage.console.__file__).parent
    templates = {str(path.relative_to(folder)) for path in folder.rglob("*.html")}
    assert templates - rendered == {
        "web/document.html",
        "web/keys.html",
        "explore/narrow_button.html",
        "web/macros.html",
        "web/error.html",
        "web/login.html",
        "web/slash.html",
        "alerts/notice.html",
        "time_zone/choices.html",
        "web/zone.html",
    }
