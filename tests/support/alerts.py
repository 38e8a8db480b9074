"""An alert as the index stores it."""

ALERT = {
    "dedup_key": "triage-1", "rule": "r", "key": "intent=delivery", "dimensions": {"intent": "delivery"},
    "status": "firing", "severity": "critical", "title": "Delivery spikes", "summary": "s",
    "started_at": "2026-11-22T09:30:00.000Z", "updated_at": "2026-11-22T09:35:00.000Z", "window_s": 3600,
    "negative": 45, "total": 60, "share": 0.75, "peak_negative": 45,
}  # fmt: skip
