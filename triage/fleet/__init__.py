"""Monitors the whole fleet by its processes' metrics and by Kafka, for `triage top` and the console."""

from triage.fleet.monitor import FleetMonitor
from triage.fleet.view import AlertView, FleetView, Need, PartitionLag, ProcessView, StageTime

__all__ = ["AlertView", "FleetMonitor", "FleetView", "Need", "PartitionLag", "ProcessView", "StageTime"]
