"""Content as HTML for e-mail: one column, styles inline, as mail programs want it."""

from html import escape

from triage.alerting.notifiers.content import Content
from triage.alerting.wording import Wording

_COLORS = {"critical": "#b3261e", "error": "#b3261e", "warning": "#8a5a00", "info": "#2d5f8b"}
_EVENT_COLORS = {"resolved": "#2e6b34", "acknowledged": "#2d5f8b"}
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei',sans-serif"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px"


def html(content: Content, words: Wording, picture: str | None) -> str:
    """`picture` is the chart's address (`cid:...`); without one the blocks stand in."""
    color = _EVENT_COLORS.get(content.event) or _COLORS.get(content.severity, "#444")
    body = [
        f'<h1 style="font-size:18px;line-height:1.35;margin:0 0 8px;color:{color}">{escape(content.title)}</h1>',
        f'<p style="margin:0 0 14px">{escape(content.summary)}</p>',
        _chart(content, words, picture),
    ]
    body += [
        f'<p style="margin:0 0 6px"><b>{escape(label)}:</b> {escape(", ".join(values))}</p>'
        for label, values in content.unusual
    ]
    if content.steps:
        items = "".join(f"<li>{escape(step)}</li>" for step in content.steps)
        body.append(_heading(words.what_to_do_first) + f'<ol style="margin:0 0 14px;padding-left:22px">{items}</ol>')
    if content.examples:
        quotes = "".join(
            f'<blockquote style="margin:0 0 8px;padding:2px 10px;border-left:3px solid #ccc;color:#444">'
            f"{escape(text)}</blockquote>"
            for text in content.examples
        )
        body.append(_heading(words.examples) + quotes)
    if content.also:
        items = "".join(f"<li>{escape(title)}</li>" for title in content.also)
        body.append(_heading(words.also) + f'<ul style="margin:0 0 14px;padding-left:22px">{items}</ul>')
    if content.links:
        links = " &middot; ".join(f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in content.links)
        body.append(f'<p style="margin:14px 0">{links}</p>')
    body += [
        f'<p style="margin:0 0 6px">{escape(name)}:<br><code style="{_MONO}">{escape(command)}</code></p>'
        for name, command in content.commands
    ]
    body.append(f'<p style="margin:16px 0 0;color:#777;font-size:12px">{escape(content.footer)}</p>')
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light"></head>'
        f'<body style="margin:0;padding:16px;max-width:600px;{_FONT};font-size:15px;line-height:1.45;color:#222">'
        f"{''.join(body)}</body></html>"
    )


def _heading(text: str) -> str:
    return f'<h2 style="font-size:15px;margin:14px 0 6px">{escape(text)}</h2>'


def _chart(content: Content, words: Wording, picture: str | None) -> str:
    if picture is not None and content.chart is not None:
        rows = "; ".join(f"{label} {line}" for label, line in content.lines)
        caption = f"{words.chart} / {words.duration(content.chart.step_s * 1000)} (UTC): {words.observed} ▮"
        if any(value is not None for value in content.chart.expected):
            caption += f", {words.expected} ─"
        return (
            f'<p style="margin:0 0 14px"><img src="{escape(picture)}" alt="{escape(rows)}" width="480" height="132" '
            f'style="max-width:100%;height:auto"><br>'
            f'<span style="color:#777;font-size:12px">{escape(caption)}</span></p>'
        )
    if not content.lines:
        return ""
    lines = "<br>".join(f"{escape(line)} {escape(label)}" for label, line in content.lines)
    return f'<p style="margin:0 0 14px;{_MONO}">{lines}</p>'
