"""Spike alerts: counts per time window become alerts and pages; with acknowledgements, silences and backtests."""
