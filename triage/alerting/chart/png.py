"""The chart as a small PNG, for e-mail. Needs Pillow, of the extra `email`."""

import io
from datetime import UTC, tzinfo

from triage.alerting.chart.scale import HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw
from triage.errors import MissingExtraError
from triage.schemas.alert import Chart

_SCALE = 2  # for the screens of telephones
_BAR, _LINE, _AXIS, _TEXT = (192, 57, 43), (34, 34, 34), (200, 200, 200), (85, 85, 85)


def png(chart: Chart, zone: tzinfo = UTC) -> bytes:
    """Draw the chart as a PNG file of about 3 KB, at two pixels per unit of WIDTH and HEIGHT.

    Times are shown in `zone`. Raises MissingExtraError without Pillow.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise MissingExtraError("the chart in e-mails", "email") from error
    drawing = draw(chart, zone)
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), "white")
    canvas = ImageDraw.Draw(image)
    font = ImageFont.load_default(11 * _SCALE)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * _SCALE, y * _SCALE

    for y in (TOP, drawing.base):
        canvas.line([at(LEFT, y), at(WIDTH - RIGHT, y)], fill=_AXIS, width=_SCALE)
    for bar in drawing.bars:
        if bar.count:
            canvas.rectangle([at(bar.x, bar.y), at(bar.x + bar.width, drawing.base)], fill=_BAR)
    for run in drawing.runs:
        canvas.line([at(x, y) for x, y in run], fill=_LINE, width=_SCALE + 1)
    canvas.text(at(LEFT - 4, TOP), str(drawing.top), fill=_TEXT, font=font, anchor="rm")
    canvas.text(at(LEFT - 4, drawing.base), "0", fill=_TEXT, font=font, anchor="rm")
    anchors = ("la", *["ma"] * (len(drawing.times) - 2), "ra")
    for (x, text), anchor in zip(drawing.times, anchors, strict=False):
        canvas.text(at(x, drawing.base + 3), text, fill=_TEXT, font=font, anchor=anchor)
    stream = io.BytesIO()
    image.quantize(32).save(stream, "PNG", optimize=True)
    return stream.getvalue()
