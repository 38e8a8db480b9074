"""The whole fleet at a glance: its processes' metrics, and what Kafka knows. For `triage top` and the console."""

from triage.fleet.monitor import FleetMonitor
from triage.fleet.view import AlertView, FleetView, PartitionLag, ProcessView, StageTime

__all__ = ["AlertView", "FleetMonitor", "FleetView", "PartitionLag", "ProcessView", "StageTime"]
