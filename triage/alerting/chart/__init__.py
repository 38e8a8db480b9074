"""Chart of an alert's observed and expected counts: in block characters, SVG and PNG."""

from triage.alerting.chart.blocks import Blocks, blocks
from triage.alerting.chart.svg import svg

__all__ = ["Blocks", "blocks", "svg"]
