"""Spike alerts: from window counts to pages, and their acknowledgements, silences and backtests."""
