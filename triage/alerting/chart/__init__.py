"""An alert's chart of observed and expected counts, as blocks of text, SVG or PNG."""

from triage.alerting.chart.blocks import Blocks, blocks
from triage.alerting.chart.svg import svg

__all__ = ["Blocks", "blocks", "svg"]
