"""Formats notifications as HTML for e-mail: one column with inline styles, which mail programs require."""

from pathlib import Path

from markupsafe import Markup

from triage.alerting.notifiers.content import Content
from triage.alerting.wording import Wording
from triage.clock import parse_rfc3339
from triage.templating import Templates

_TEMPLATES = Templates(Path(__file__).parent)
_COLORS = {"critical": "#b3261e", "error": "#b3261e", "warning": "#8a5a00", "info": "#2d5f8b"}
_EVENT_COLORS = {"resolved": "#2e6b34", "acknowledged": "#2d5f8b"}


def html(content: Content, wording: Wording, picture: str | None) -> Markup:
    """Format an alert as a complete HTML page for an e-mail, in the language of `wording`.

    `picture` is the URL of the chart (`cid:...`); if it is None the chart is drawn with block characters.
    """
    return _TEMPLATES.render(
        "email.html",
        content=content,
        wording=wording,
        picture=picture,
        caption=_caption(content, wording),
        color=_EVENT_COLORS.get(content.event) or _COLORS.get(content.severity, "#444"),
    )


def _caption(content: Content, wording: Wording) -> str:
    """Caption of the chart: the length of a step, the time zone and the legend. Empty without a chart."""
    if content.chart is None:
        return ""
    step = wording.duration(content.chart.step_s * 1000)
    expected = f", {wording.expected} ─" if any(value is not None for value in content.chart.expected) else ""
    zone = wording.zone_name(parse_rfc3339(content.chart.start))
    return f"{wording.chart} / {step}, {zone}: {wording.observed} ▮{expected}"
