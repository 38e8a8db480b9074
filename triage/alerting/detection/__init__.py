"""The spike detector: learns the usual count of each key, and scores how surprising the count of a closed window is.

A count is the number of negative records of a key. All keys are computed at once in NumPy arrays, without I/O.
"""

from triage.alerting.detection.settings import SpikeSettings
from triage.alerting.detection.spike import SpikeDetector
from triage.alerting.detection.verdicts import Verdicts

__all__ = ["SpikeDetector", "SpikeSettings", "Verdicts"]
