"""Comparison of records with the period before, shown on *Now* and *Explore*."""
