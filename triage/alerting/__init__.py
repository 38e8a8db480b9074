"""Spike alerts: turns counts per time window into alerts and pages; acknowledgements, silences and backtests."""
