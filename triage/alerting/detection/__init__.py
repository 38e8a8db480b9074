"""The spike detector: the expected count of each key, and how surprising a closed window is. Pure and vectorised."""

from triage.alerting.detection.settings import SpikeSettings
from triage.alerting.detection.spike import SpikeDetector
from triage.alerting.detection.verdicts import Verdicts

__all__ = ["SpikeDetector", "SpikeSettings", "Verdicts"]
